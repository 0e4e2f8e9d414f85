import type { QueryClientConfig } from '@tanstack/react-query';
import { fetchRuns, ServerError } from './client';

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

export const runsQuery = {
  queryKey: ['runs'],
  queryFn: ({ signal }: { signal: AbortSignal }) => fetchRuns(signal),
  refetchInterval: RUNS_POLL_MS,
};
