import type { QueryClientConfig } from '@tanstack/react-query';
import {
  type Contact,
  fetchContacts,
  fetchEncounters,
  fetchInfections,
  fetchNameOfSlot,
  fetchNames,
  fetchNode,
  fetchRuns,
  type RunList,
  ServerError,
} from './client';
import { follow } from './follow';

const RUNS_POLL_MS = 5000;
const RETRY_MS_MAX = 5000;

/** Whatever fails is tried again until it works, unless the server says that the question is wrong. */
export const queryDefaults: QueryClientConfig = {
  defaultOptions: {
    queries: {
      retry: (_, error) => !(error instanceof ServerError && error.status >= 400 && error.status < 500),
      retryDelay: (attempt) => Math.min(RETRY_MS_MAX, 500 * 2 ** attempt),
      networkMode: 'always',
      staleTime: 1000,
    },
  },
};

/** The newest runs, and which is shown when none is asked for. */
export const runListQuery = {
  queryKey: ['runs'],
  queryFn: ({ signal }: { signal: AbortSignal }) => fetchRuns(signal),
  refetchInterval: RUNS_POLL_MS,
};

/** The newest runs. */
export const runsQuery = { ...runListQuery, select: (list: RunList) => list.runs };

/** While a run grows, what is known of a person grows. */
const PERSON_POLL_MS = 4000;
const ENCOUNTERS_MAX = 300;
const CONTACTS_MAX = 200;
/** So far back go the contacts that are listed. */
const CONTACTS_BACK_MS = 60_000;
const INFECTED_BY_MAX = 1000;
/** As many cases as the drawing of a chain shows. */
const FOLLOWED_MAX = 500;
/** In runs with more infections a chain is followed, person by person. */
const INFECTIONS_MAX = 20_000;
/** In larger runs people are found by their whole id only. */
export const NAMES_MAX = 20_000;

export const nodeQuery = (run: string, id: string | undefined, epoch: number) => ({
  queryKey: ['node', run, id, epoch],
  queryFn: ({ signal }: { signal: AbortSignal }) => fetchNode(run, id as string, signal),
  enabled: id !== undefined,
  refetchInterval: PERSON_POLL_MS,
});

export const nameQuery = (run: string, slot: number | undefined, epoch: number) => ({
  queryKey: ['name', run, slot, epoch],
  queryFn: async () => (await fetchNameOfSlot(run, slot as number)) ?? null,
  enabled: slot !== undefined,
  staleTime: Number.POSITIVE_INFINITY,
});

export const encountersQuery = (run: string, id: string) => ({
  queryKey: ['encounters', run, id],
  queryFn: () => fetchEncounters(run, id, ENCOUNTERS_MAX),
  refetchInterval: PERSON_POLL_MS,
});

/** The contacts of the minute before a time. */
export const contactsQuery = (run: string, id: string, toMs: number) => ({
  queryKey: ['contacts', run, id, toMs],
  queryFn: () => fetchContacts(run, id, toMs - CONTACTS_BACK_MS, toMs, CONTACTS_MAX),
  placeholderData: (before: Contact[] | undefined) => before,
});

/** Whom somebody has infected. */
export const infectedByQuery = (run: string, infector: string) => ({
  queryKey: ['infections', run, infector],
  queryFn: () => fetchInfections(run, INFECTED_BY_MAX, infector),
  refetchInterval: PERSON_POLL_MS,
});

/** The infections of the chain that somebody began: out of all of them, or followed when those are too many. */
export const chainQuery = (run: string, root: string, infections: number) => ({
  queryKey: ['chain', run, root],
  queryFn: () =>
    infections <= INFECTIONS_MAX
      ? fetchInfections(run, INFECTIONS_MAX)
      : follow(root, (infector) => fetchInfections(run, INFECTED_BY_MAX, infector), FOLLOWED_MAX),
  refetchInterval: PERSON_POLL_MS,
});

export const namesQuery = (run: string) => ({
  queryKey: ['names', run],
  queryFn: () => fetchNames(run, NAMES_MAX),
  staleTime: 5000,
});
