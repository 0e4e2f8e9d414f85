// What GET /api/v1/scenarios answers, in short; the server makes it from the model's table.

const number = (name, kind, unit, value, min, max, help) => ({
  ...{ name, help, unit, kind },
  ...{ default: value, min, max },
});

export const TABLE = [
  number(
    'field_width',
    'integer',
    'units',
    100,
    1,
    1_000_000,
    'Width of the map: x runs from 0 to this number',
  ),
  number(
    'field_height',
    'integer',
    'units',
    100,
    1,
    1_000_000,
    'Height of the map: y runs from 0 to this number',
  ),
  number('scale_factor', 'integer', 'pixels a unit', 5, 1, 100, 'How large a unit is drawn at first sight'),
  number(
    'zombie_lifetime',
    'integer',
    's',
    120,
    0,
    100_000_000,
    'How long a device lives; 0: it never dies of age',
  ),
  number('infection_radius', 'real', 'units', 2, 0, 1000, 'Up to which distance two people are in contact'),
  number(
    'infection_cooldown',
    'integer',
    's',
    15,
    1,
    60_000,
    'How long a person is infected, and then immune',
  ),
  {
    ...{ name: 'move_when_infected', kind: 'switch', unit: '', default: false },
    help: 'Whether infected people walk on instead of standing still',
  },
  {
    ...{
      name: 'movement',
      kind: 'choice',
      unit: '',
      default: 'waypoint',
      choices: ['waypoint', 'avoid', 'places'],
    },
    help: 'How people choose their way: at random, away from the infected, or by the time of day',
  },
  number(
    'latent_period',
    'real',
    's',
    0,
    0,
    10_000,
    'How long it takes on average from infection to being infectious',
  ),
  number('fatality', 'real', '', 0, 0, 1, 'Chance that an illness with symptoms ends in death'),
];

const values = (own) => ({ ...Object.fromEntries(TABLE.map((row) => [row.name, row.default])), ...own });

export const SCENARIOS = {
  scenarios: [
    {
      name: 'town',
      about:
        'A town in which an epidemic lives on: a first infected person infects 1.9 others on average, a later one 1.0.',
      ...{ people: 100, infected: 6, toml: '' },
      parameters: values({ field_height: 60, scale_factor: 8, zombie_lifetime: 0, infection_cooldown: 40 }),
    },
    {
      name: 'paper',
      about: 'The paper’s figures. At this density an epidemic dies out.',
      ...{ people: 20, infected: 1, toml: '' },
      parameters: values({}),
    },
  ],
  parameters: TABLE,
  people: { nodes: { min: 1, max: 2000 }, fleet: { min: 1, max: 16_000_000 } },
  speed: { min: 0.01, max: 1000 },
};

/** What is wrong with a request for a run, field by field. */
export function complaints({ kind, people, infected, name, parameters = {} }) {
  const errors = [];
  const wrong = (field, detail) => errors.push({ field, detail });
  const { min, max } = SCENARIOS.people[kind] ?? { min: 1, max: 0 };
  if (!(people >= min && people <= max))
    wrong('people', `people must be from ${min} to ${max}, not ${people}`);
  if (!(infected >= 0 && infected <= people)) wrong('infected', `infected must be from 0 to ${people}`);
  if (name === 'taken') wrong('name', 'there is a run of that name already');
  for (const [key, value] of Object.entries(parameters)) {
    const row = TABLE.find((one) => one.name === key);
    if (!row) wrong(`parameters.${key}`, `no parameter is called ${key}`);
    else if (row.max !== undefined && !(value >= row.min && value <= row.max))
      wrong(`parameters.${key}`, `${key} must be from ${row.min} to ${row.max}, not ${value}`);
  }
  return errors;
}
