import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { ServerError } from '../../api/ask';
import type { SessionInfo } from '../../api/operator';
import { askSessionAgain, sessionQuery } from '../../api/operator-queries';

export interface Operator {
  /** Signed in as the operator? */
  is: boolean;
  /** Can one sign in here at all? */
  canSignIn: boolean;
  /** Signed in, and the server reaches a laboratory to act on? */
  hasLaboratory: boolean;
}

/** Who the visitor is to this server; a visitor until it has said otherwise. */
export function useOperator(): Operator {
  const { data } = useQuery(sessionQuery);
  return operatorOf(data);
}

export function operatorOf(session: SessionInfo | undefined): Operator {
  const is = session?.operator === true;
  return {
    is,
    canSignIn: session?.can_sign_in === true,
    hasLaboratory: is && session?.laboratory === true,
  };
}

/** Call it with what an act of the operator failed with: when that says "signed out", so says the page. */
export function useExpiry(): (error: unknown) => boolean {
  const client = useQueryClient();
  return useCallback(
    (error) => {
      const out = error instanceof ServerError && (error.status === 401 || error.status === 403);
      if (out) void askSessionAgain(client);
      return out;
    },
    [client],
  );
}
