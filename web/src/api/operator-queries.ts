import type { QueryClient } from '@tanstack/react-query';
import { ServerError } from './ask';
import { signInUrl } from './base';
import {
  fetchAudit,
  fetchChaos,
  fetchLaboratory,
  fetchScenarios,
  fetchSession,
  type SessionInfo,
} from './operator';

const SESSION_POLL_MS = 60_000;
/** The diagram is to be alive, and the laboratory answers from memory. */
const LABORATORY_POLL_MS = 1000;
const PROGRESS_POLL_MS = 1500;

const VISITOR: SessionInfo = { operator: false, can_sign_in: false, laboratory: false };

/** Leaves for the form that signs in, which leads back to what is on show. */
function goToSignIn(): void {
  location.assign(signInUrl(location.pathname, location.search));
}

/** Who the visitor is. A server that does not know the question has no operator. */
export const sessionQuery = {
  queryKey: ['session'],
  queryFn: async ({ signal }: { signal: AbortSignal }): Promise<SessionInfo> => {
    try {
      return await fetchSession(signal);
    } catch (error) {
      // Here reading needs the token as well: nothing of the page would work.
      if (error instanceof ServerError && error.status === 401) goToSignIn();
      if (error instanceof ServerError && error.status >= 400 && error.status < 500) return VISITOR;
      throw error;
    }
  },
  refetchInterval: SESSION_POLL_MS,
  staleTime: 10_000,
};

/** Forgets what only the operator may see. */
export function forgetLaboratory(client: QueryClient): void {
  for (const { queryKey } of [laboratoryQuery, scenariosQuery, auditQuery, chaosQuery])
    client.removeQueries({ queryKey });
}

/** Asks anew who the visitor is; an answer that is still on its way is from before. */
export async function askSessionAgain(client: QueryClient): Promise<void> {
  await client.cancelQueries({ queryKey: sessionQuery.queryKey });
  await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
}

export const laboratoryQuery = {
  queryKey: ['laboratory'],
  queryFn: ({ signal }: { signal: AbortSignal }) => fetchLaboratory(signal),
  refetchInterval: LABORATORY_POLL_MS,
};

export const scenariosQuery = {
  queryKey: ['scenarios'],
  queryFn: fetchScenarios,
  staleTime: 60_000,
};

export const auditQuery = {
  queryKey: ['audit'],
  queryFn: fetchAudit,
  refetchInterval: PROGRESS_POLL_MS,
};

export const chaosQuery = {
  queryKey: ['chaos'],
  queryFn: fetchChaos,
  refetchInterval: PROGRESS_POLL_MS,
};
