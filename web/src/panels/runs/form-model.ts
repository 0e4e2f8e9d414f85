import type { FieldError } from '../../api/ask';
import type {
  ForkRequest,
  ParameterInfo,
  ParameterValue,
  RunKind,
  RunRequest,
  Scenario,
  Scenarios,
} from '../../api/operator';
import { runTexts } from '../../ui/texts-runs';

export const NAME_MAX = 60;
const SEED_MAX = Number.MAX_SAFE_INTEGER;

/** What is typed, field by field: text, or yes and no. Parameters are named as the server names them. */
export interface RunForm {
  kind: RunKind;
  scenario: string;
  name: string;
  people: string;
  infected: string;
  seed: string;
  speed: string;
  parameters: Record<string, string | boolean>;
}

export type Wrong = Readonly<Record<string, string>>;

const texts = runTexts.form.errors;

/** The values a scenario has: the table's, and its own over them. */
export function valuesOf(
  infos: readonly ParameterInfo[],
  own: Readonly<Record<string, unknown>>,
): Record<string, ParameterValue> {
  return Object.fromEntries(
    infos.map((info) => {
      const value = own[info.name];
      return [info.name, typeof value === typeof info.default ? (value as ParameterValue) : info.default];
    }),
  );
}

const typed = (values: Record<string, ParameterValue>): RunForm['parameters'] =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, typeof value === 'number' ? String(value) : value]),
  );

/** The form as a scenario fills it in; what was chosen besides stays. */
export function filledIn(schema: Scenarios, scenario: Scenario | undefined, before?: RunForm): RunForm {
  return {
    kind: before?.kind ?? 'nodes',
    scenario: scenario?.name ?? '',
    name: scenario?.name ?? '',
    people: String(scenario?.people ?? schema.people.nodes.min),
    infected: String(scenario?.infected ?? 1),
    seed: before?.seed ?? '',
    speed: before?.speed ?? '1',
    parameters: typed(valuesOf(schema.parameters, scenario?.parameters ?? {})),
  };
}

/** The form of a fork: as the run was. */
export const parametersOfRun = (infos: readonly ParameterInfo[], own: Readonly<Record<string, unknown>>) =>
  typed(valuesOf(infos, own));

/** What is wrong with a parameter's text; undefined when nothing is. */
export function checkParameter(info: ParameterInfo, value: string | boolean | undefined): string | undefined {
  if (info.kind === 'switch') return undefined;
  if (info.kind === 'choice') return info.choices?.includes(String(value)) ? undefined : texts.missing;
  return checkNumber(String(value ?? ''), {
    integer: info.kind === 'integer',
    min: info.min ?? Number.NEGATIVE_INFINITY,
    max: info.max ?? Number.POSITIVE_INFINITY,
    unit: info.unit,
  });
}

interface NumberRule {
  min: number;
  max: number;
  integer?: boolean;
  unit?: string;
}

const format = (value: number) =>
  new Intl.NumberFormat(undefined, { maximumFractionDigits: 6 }).format(value);

export function checkNumber(
  text: string,
  { min, max, integer = true, unit = '' }: NumberRule,
): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return texts.missing;
  const value = Number(trimmed.replace(',', '.'));
  if (!Number.isFinite(value)) return integer ? texts.integer : texts.number;
  if (integer && !Number.isInteger(value)) return texts.integer;
  return value < min || value > max ? texts.range(format(min), format(max), unit) : undefined;
}

/** Every field that is wrong, by the same table that the server checks with. */
export function check(form: RunForm, schema: Scenarios): Wrong {
  const people = schema.people[form.kind];
  const wrong: Record<string, string | undefined> = {
    name: form.name.length > NAME_MAX ? texts.name(NAME_MAX) : undefined,
    people: checkNumber(form.people, people),
    infected: checkNumber(form.infected, { min: 0, max: people.max }),
    seed: form.seed.trim() === '' ? undefined : checkNumber(form.seed, { min: 0, max: SEED_MAX }),
    speed:
      form.kind === 'nodes' || form.speed.trim() === 'max'
        ? undefined
        : checkNumber(form.speed, { ...schema.speed, integer: false }),
  };
  if (
    wrong.people === undefined &&
    wrong.infected === undefined &&
    Number(form.infected) > Number(form.people)
  )
    wrong.infected = texts.infected;
  for (const info of schema.parameters) wrong[info.name] = checkParameter(info, form.parameters[info.name]);
  return onlyWrong(wrong);
}

export const onlyWrong = (wrong: Record<string, string | undefined>): Wrong =>
  Object.fromEntries(
    Object.entries(wrong).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

/** The server's complaints at their fields; `parameters.x` is the field x. */
export function complaints(errors: readonly FieldError[]): Wrong {
  return Object.fromEntries(
    errors.map(({ field, detail }) => [field.replace(/^parameters[./]/, ''), detail]),
  );
}

/** What was typed, as the server takes it. */
export function typedValue(info: ParameterInfo, text: string | boolean | undefined): ParameterValue {
  if (info.kind === 'switch') return text === true;
  return info.kind === 'choice' ? String(text) : Number(String(text).trim().replace(',', '.'));
}

/** Names and values that differ from what holds without them. */
export function differing(
  infos: readonly ParameterInfo[],
  typedIn: RunForm['parameters'],
  otherwise: Record<string, ParameterValue>,
): Record<string, ParameterValue> {
  return Object.fromEntries(
    infos
      .map((info) => [info.name, typedValue(info, typedIn[info.name])] as const)
      .filter(([name, value]) => value !== otherwise[name]),
  );
}

/** The request of a form in which nothing is wrong. */
export function requestOf(form: RunForm, schema: Scenarios): RunRequest {
  const scenario = schema.scenarios.find(({ name }) => name === form.scenario);
  return {
    kind: form.kind,
    ...(form.name.trim() !== '' && { name: form.name.trim() }),
    ...(scenario && { scenario: scenario.name }),
    people: Number(form.people),
    infected: Number(form.infected),
    ...(form.seed.trim() !== '' && { seed: Number(form.seed) }),
    parameters: differing(
      schema.parameters,
      form.parameters,
      valuesOf(schema.parameters, scenario?.parameters ?? {}),
    ),
    ...(form.kind === 'fleet' && { speed: speedOf(form.speed.trim()) }),
  };
}

const speedOf = (text: string) => (text === 'max' ? text : Number(text.replace(',', '.')));

export interface ForkForm {
  tick: string;
  name: string;
  seed: string;
  parameters: RunForm['parameters'];
}

export function checkFork(form: ForkForm, infos: readonly ParameterInfo[], lastTick: number): Wrong {
  const wrong: Record<string, string | undefined> = {
    tick: checkNumber(form.tick, { min: 0, max: lastTick }),
    name: form.name.length > NAME_MAX ? texts.name(NAME_MAX) : undefined,
    seed: form.seed.trim() === '' ? undefined : checkNumber(form.seed, { min: 0, max: SEED_MAX }),
  };
  for (const info of infos) wrong[info.name] = checkParameter(info, form.parameters[info.name]);
  return onlyWrong(wrong);
}

export function forkRequestOf(
  form: ForkForm,
  infos: readonly ParameterInfo[],
  own: Readonly<Record<string, unknown>>,
): ForkRequest {
  return {
    tick: Number(form.tick),
    ...(form.name.trim() !== '' && { name: form.name.trim() }),
    ...(form.seed.trim() !== '' && { seed: Number(form.seed) }),
    parameters: differing(infos, form.parameters, valuesOf(infos, own)),
  };
}
