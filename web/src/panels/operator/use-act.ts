import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { ServerError } from '../../api/ask';
import { auditQuery, chaosQuery, laboratoryQuery } from '../../api/operator-queries';
import { useHappenings } from '../../ui/happenings';
import { operatorTexts } from '../../ui/texts-operator';
import { useNotice } from '../session/notice';
import { useExpiry } from '../session/use-operator';

/** Does something to the laboratory, says and notes it, and looks again. True when it worked. */
export function useAct(): (send: () => Promise<unknown>, done: string) => Promise<boolean> {
  const client = useQueryClient();
  const isExpired = useExpiry();
  return useCallback(
    async (send, done) => {
      const { tell } = useNotice.getState();
      try {
        await send();
        useHappenings.getState().note(done);
        tell(done);
        return true;
      } catch (error) {
        const detail = error instanceof ServerError ? error.problem?.detail : undefined;
        if (!isExpired(error)) tell(detail ?? operatorTexts.failed(done));
        return false;
      } finally {
        for (const { queryKey } of [laboratoryQuery, chaosQuery, auditQuery])
          void client.invalidateQueries({ queryKey });
      }
    },
    [client, isExpired],
  );
}
