import { ask, ServerError } from './ask';

/** Who is asking, and what this server can do for them. */
export interface SessionInfo {
  operator: boolean;
  can_sign_in: boolean;
  /** Does the server reach a laboratory whose parts it can act on? */
  laboratory: boolean;
}

export type PartKind = 'devices' | 'broker' | 'ingest' | 'store' | 'serve';
/**
 * `waiting`: its process ended and comes back by itself; `refused`: it did not come up again and again; `finished`: it
 * was done; `elsewhere`: it is not this laboratory's.
 */
export type PartState = 'running' | 'paused' | 'waiting' | 'refused' | 'finished' | 'stopped' | 'elsewhere';

export interface Part {
  name: string;
  kind: PartKind;
  state: PartState;
  /** What can be done to it now. */
  actions: PartAct[];
  pid?: number | undefined;
  restarts: number;
  since_ms?: number | undefined;
  run?: string | undefined;
  memory_bytes?: number | undefined;
  cpu_seconds?: number | undefined;
  /** Its last warning. */
  says?: string | undefined;
}

/** What goes from one kind of part to the next. */
export interface Flow {
  from: PartKind;
  to: PartKind;
  records_per_s?: number | undefined;
  bytes_per_s?: number | undefined;
  lag_records?: number | undefined;
  newest_record_ms?: number | undefined;
}

export interface LaboratoryRun {
  run: string;
  name: string;
  kind: RunKind;
  people: number;
  infected: number;
  seed: number;
  state: 'running' | 'ended' | 'failed';
  parts: string[];
  started_ms: number;
  ended_ms?: number | undefined;
  forked_from?: { run: string; tick: number } | undefined;
  why?: string | undefined;
}

export interface LaboratoryInfo {
  now_ms: number;
  parts: Part[];
  flows: Flow[];
  runs: LaboratoryRun[];
}

export type ParameterValue = number | string | boolean;

/** A parameter of a scenario, as the server checks it. */
export interface ParameterInfo {
  name: string;
  help: string;
  unit: string;
  kind: 'integer' | 'real' | 'switch' | 'choice';
  default: ParameterValue;
  min?: number | undefined;
  max?: number | undefined;
  choices?: string[] | undefined;
}

export interface Scenario {
  name: string;
  about: string;
  people: number;
  infected: number;
  parameters: Record<string, ParameterValue>;
}

export interface Scenarios {
  scenarios: Scenario[];
  parameters: ParameterInfo[];
  /** How many people a run of each kind may have. */
  people: Record<RunKind, Range>;
  speed: Range;
}

export interface Range {
  min: number;
  max: number;
}

export type RunKind = 'nodes' | 'fleet';

export interface RunRequest {
  kind: RunKind;
  name?: string;
  scenario?: string;
  people: number;
  infected: number;
  seed?: number;
  parameters: Record<string, ParameterValue>;
  /** Fleets only; `max`: as fast as it goes. */
  speed?: number | 'max';
}

export interface ForkRequest {
  tick: number;
  name?: string;
  seed?: number;
  parameters: Record<string, ParameterValue>;
}

export interface Verdict {
  /** Contacts that devices recorded, and that are in the store. */
  recorded: number;
  stored: number;
  lost: number;
  doubled: number;
  wrong: number;
  unknown: number;
  late?: number | null | undefined;
  ok: boolean;
}

export interface AuditInfo {
  state: 'none' | 'running' | 'done' | 'failed';
  run?: string | undefined;
  verdict?: Verdict | undefined;
  why?: string | undefined;
}

export interface Fault {
  at_ms: number;
  kind: string;
  part: string;
  until_ms?: number | undefined;
}

export interface ChaosInfo {
  state: 'none' | 'running' | 'done' | 'failed' | 'stopped';
  scenario?: string | undefined;
  seed?: number | undefined;
  started_ms?: number | undefined;
  elapsed_ms?: number | undefined;
  faults?: Fault[] | undefined;
  verdict?: Verdict | undefined;
  why?: string | undefined;
}

export interface ChaosRequest {
  minutes: number;
  seed?: number;
  scenario?: string;
}

export type PartAct = 'kill' | 'pause' | 'resume' | 'restart';
export const EXPORTS = ['statistics', 'infections', 'contacts', 'encounters', 'nodes'] as const;
export type Export = (typeof EXPORTS)[number];

const LABORATORY = '/api/v1/laboratory';
const runPath = (run: string) => `/api/v1/runs/${run}`;

export const fetchSession = (signal?: AbortSignal) =>
  ask<SessionInfo>('GET', '/api/v1/session', undefined, signal);
export const fetchLaboratory = (signal?: AbortSignal) =>
  ask<LaboratoryInfo>('GET', LABORATORY, undefined, signal);
export const actOnPart = (part: string, act: PartAct) =>
  ask<void>('POST', `${LABORATORY}/parts/${encodeURIComponent(part)}/${act}`);
export const addPeople = (people: { run: string; count: number; infected: number }) =>
  ask<void>('POST', `${LABORATORY}/people`, people);

export const fetchScenarios = () => ask<Scenarios>('GET', '/api/v1/scenarios');
export const startRun = (request: RunRequest) => ask<{ run: string }>('POST', '/api/v1/runs', request);
export const stopRun = (run: string) => ask<void>('POST', `${runPath(run)}/stop`);
export const forkRun = (run: string, request: ForkRequest) =>
  ask<{ run: string }>('POST', `${runPath(run)}/fork`, request);
export const deleteRun = (run: string) => ask<void>('DELETE', runPath(run));
export const exportUrl = (run: string, what: Export) => `${runPath(run)}/export/${what}.csv`;

export const fetchAudit = () => ask<AuditInfo>('GET', `${LABORATORY}/audit`);
export const startAudit = (run: string) => ask<void>('POST', `${LABORATORY}/audit`, { run });
export const fetchChaos = () => ask<ChaosInfo>('GET', `${LABORATORY}/chaos`);
export const startChaos = (request: ChaosRequest) => ask<void>('POST', `${LABORATORY}/chaos`, request);
export const stopChaos = () => ask<void>('DELETE', `${LABORATORY}/chaos`);

export const signOut = () => ask<void>('DELETE', '/api/v1/session');

/** Signs in with the operator's token: the server gives a cookie that scripts cannot read. */
export async function signIn(token: string): Promise<void> {
  const response = await fetch('/login', {
    method: 'POST',
    body: new URLSearchParams({ token }),
    // The answer leads to the page, which is here already.
    redirect: 'manual',
  });
  if (response.type !== 'opaqueredirect' && !response.ok) throw new ServerError(response.status);
}
