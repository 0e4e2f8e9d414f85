import { expect, test } from 'vitest';
import type { ParameterInfo, Scenarios } from '../../api/operator';
import { check, checkFork, complaints, filledIn, forkRequestOf, requestOf } from './form-model';

const number = (
  name: string,
  value: number,
  max: number,
  kind: 'integer' | 'real' = 'integer',
): ParameterInfo => ({
  ...{ name, help: '', unit: 's', kind, default: value, min: 1, max },
});
const parameters: ParameterInfo[] = [
  number('infection_cooldown', 15, 60_000),
  number('infection_radius', 2, 1000, 'real'),
  { name: 'move_when_infected', help: '', unit: '', kind: 'switch', default: false },
  {
    name: 'movement',
    help: '',
    unit: '',
    kind: 'choice',
    default: 'waypoint',
    choices: ['waypoint', 'avoid'],
  },
];
const schema: Scenarios = {
  scenarios: [
    {
      name: 'town',
      about: 'A town',
      people: 100,
      infected: 6,
      toml: '',
      parameters: { infection_cooldown: 40 },
    },
  ],
  parameters,
  people: { nodes: { min: 1, max: 1000 }, fleet: { min: 1, max: 1_000_000 } },
  speed: { min: 0.1, max: 100 },
};
const town = () => filledIn(schema, schema.scenarios[0]);
const changed = (change: Record<string, string | boolean>) => {
  const form = town();
  return { ...form, parameters: { ...form.parameters, ...change } };
};

test('a scenario fills in the form, and nothing is wrong with it', () => {
  const form = town();
  expect([form.people, form.infected, form.parameters.infection_cooldown]).toEqual(['100', '6', '40']);
  expect(check(form, schema)).toEqual({});
});

test('only what differs from the scenario is sent', () => {
  expect(requestOf(town(), schema).parameters).toEqual({});
  const form = changed({ infection_radius: '2,5', move_when_infected: true, movement: 'avoid' });
  expect(requestOf(form, schema)).toEqual({
    ...{ kind: 'nodes', name: 'town', scenario: 'town', people: 100, infected: 6 },
    parameters: { infection_radius: 2.5, move_when_infected: true, movement: 'avoid' },
  });
});

test('a seed and a fleet’s speed are sent when they are given', () => {
  const form = { ...town(), kind: 'fleet' as const, seed: ' 7 ', speed: 'max' };
  expect(check(form, schema)).toEqual({});
  expect(requestOf(form, schema)).toMatchObject({ kind: 'fleet', seed: 7, speed: 'max' });
  expect(requestOf({ ...form, speed: '2,5' }, schema)).toMatchObject({ speed: 2.5 });
  expect(requestOf(town(), schema)).not.toHaveProperty('speed');
});

test.each([
  [
    'a text where a number belongs',
    changed({ infection_radius: 'wide' }),
    'infection_radius',
    'Must be a number',
  ],
  [
    'a fraction of a whole number',
    changed({ infection_cooldown: '1.5' }),
    'infection_cooldown',
    'whole number',
  ],
  ['a value out of range', changed({ infection_cooldown: '0' }), 'infection_cooldown', 'from 1 to 60,000 s'],
  ['nothing', changed({ infection_cooldown: ' ' }), 'infection_cooldown', 'Needs a value'],
  ['a word that is no choice', changed({ movement: 'hop' }), 'movement', 'Needs a value'],
  ['more people than there may be', { ...town(), people: '1001' }, 'people', 'from 1 to 1,000'],
  ['more infected than people', { ...town(), infected: '101' }, 'infected', 'not so many'],
  ['a seed below zero', { ...town(), seed: '-1' }, 'seed', 'from 0'],
])('%s is said at its field', (_, form, field, words) => {
  const wrong = check(form, schema);
  expect(Object.keys(wrong)).toEqual([field]);
  expect(wrong[field]).toContain(words);
});

test('the server’s complaints go to their fields', () => {
  const errors = [
    { field: 'parameters.infection_radius', detail: 'too far' },
    { field: 'people', detail: 'too many' },
  ];
  expect(complaints(errors)).toEqual({ infection_radius: 'too far', people: 'too many' });
});

test('a fork sends its second and what is other than in the run', () => {
  const own = { infection_cooldown: 40 };
  const form = { tick: '90', name: '', seed: '', parameters: changed({ movement: 'avoid' }).parameters };
  expect(checkFork(form, parameters, 100)).toEqual({});
  expect(checkFork(form, parameters, 80)).toHaveProperty('tick');
  expect(forkRequestOf(form, parameters, own)).toEqual({ tick: 90, parameters: { movement: 'avoid' } });
});
