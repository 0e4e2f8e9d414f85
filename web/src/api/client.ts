import createClient from 'openapi-fetch';
import { ServerError } from './ask';
import { under } from './base';
import type { components, paths } from './schema';

export { ServerError };

export type Run = components['schemas']['Run'];
export type Node = components['schemas']['Node'];
export type Contact = components['schemas']['Contact'];
export type Encounter = components['schemas']['Encounter'];
export type Infection = components['schemas']['Infection'];
export type Statistics = components['schemas']['Statistics'];

/** A run whose name can be seen and clicked, whatever it is called. */
export function named(run: Run): Run {
  return /[^\s\p{C}]/u.test(run.name) ? run : { ...run, name: UNNAMED };
}

const UNNAMED = 'unnamed';

const client = createClient<paths>({
  baseUrl: (globalThis.location?.origin ?? '') + under('/').slice(0, -1),
});

interface Answer<T> {
  data?: T | undefined;
  response: Response;
}

async function given<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, response } = await answer;
  if (data === undefined || !response.ok) throw new ServerError(response.status);
  return data;
}

/** As many runs as the page lists; older ones are opened by their address. */
export const RUNS_MAX = 200;

export interface RunList {
  /** Newest first. */
  runs: Run[];
  /** The run to show when none is asked for. */
  defaultRun: string | undefined;
  /** There are older runs than those listed. */
  hasMore: boolean;
}

export async function fetchRuns(signal?: AbortSignal): Promise<RunList> {
  const params = { query: { limit: RUNS_MAX } };
  const answer = await given(client.GET('/api/v1/runs', { params, signal: signal ?? null }));
  const { runs, default_run: defaultRun, next } = answer;
  return { runs: runs.map(named), defaultRun, hasMore: next !== undefined };
}

export async function fetchRun(run: string): Promise<Run> {
  return named(await given(client.GET('/api/v1/runs/{run}', { params: { path: { run } } })));
}

export function fetchStatistics(run: string, points: number): Promise<Statistics> {
  return given(client.GET('/api/v1/runs/{run}/statistics', { params: { path: { run }, query: { points } } }));
}

/** The name of the node in a slot; undefined when there is none. */
export async function fetchNameOfSlot(run: string, slot: number): Promise<string | undefined> {
  const query = slot === 0 ? { limit: 1 } : { after_slot: slot - 1, limit: 1 };
  const { nodes } = await given(client.GET('/api/v1/runs/{run}/nodes', { params: { path: { run }, query } }));
  return nodes.find((node) => node.slot === slot)?.id;
}

export function fetchNode(run: string, id: string, signal?: AbortSignal): Promise<Node> {
  return given(
    client.GET('/api/v1/runs/{run}/nodes/{id}', { params: { path: { run, id } }, signal: signal ?? null }),
  );
}

/** Encounters, newest first. */
export async function fetchEncounters(run: string, id: string, limit: number): Promise<Encounter[]> {
  const params = { path: { run, id }, query: { limit, order: 'newest' as const } };
  return (await given(client.GET('/api/v1/runs/{run}/nodes/{id}/encounters', { params }))).encounters;
}

/** Contacts within a time, newest first. */
export async function fetchContacts(
  run: string,
  id: string,
  fromMs: number,
  toMs: number,
  limit: number,
): Promise<Contact[]> {
  const query = { from_ms: fromMs, to_ms: toMs, limit, order: 'newest' as const };
  const params = { path: { run, id }, query };
  return (await given(client.GET('/api/v1/runs/{run}/nodes/{id}/contacts', { params }))).contacts;
}

/** Infections, oldest first; only those by `infector` when one is named. */
export async function fetchInfections(run: string, limit: number, infector?: string): Promise<Infection[]> {
  const params = { path: { run }, query: { limit, ...(infector !== undefined && { infector }) } };
  return (await given(client.GET('/api/v1/runs/{run}/infections', { params }))).infections;
}

/** Where the live connection of a run is. */
export function liveUrl(run: string): string {
  const { protocol, host } = globalThis.location;
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}${under(`/api/v1/runs/${run}/live`)}`;
}

export interface NodeName {
  slot: number;
  id: string;
}

const NAMES_PAGE = 5000;

/** Slots and names of the first `most` nodes. */
export async function fetchNames(run: string, most: number): Promise<NodeName[]> {
  const names: NodeName[] = [];
  while (names.length < most) {
    const last = names.at(-1)?.slot;
    const query = { limit: NAMES_PAGE, ...(last !== undefined && { after_slot: last }) };
    const { nodes } = await given(
      client.GET('/api/v1/runs/{run}/nodes', { params: { path: { run }, query } }),
    );
    names.push(...nodes);
    if (nodes.length < NAMES_PAGE) break;
  }
  return names;
}
