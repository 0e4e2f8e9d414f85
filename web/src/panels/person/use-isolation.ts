import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { fetchNode } from '../../api/client';
import { encountersQuery, NAMES_MAX, namesQuery } from '../../api/queries';
import { useChoices } from '../../ui/choices';
import { useSession, useSessionState } from '../../ui/session-context';

/** In a large run so many of those met last are looked up one by one. */
const LOOKED_UP_MAX = 40;

/** While isolating: the person and everybody they met stand out on the map. */
export function useIsolation(id: string | undefined, slot: number | undefined): void {
  const { runId } = useSession();
  const isolate = useChoices((choices) => choices.isolate);
  const set = useChoices((choices) => choices.set);
  const small = useSessionState((state) => (state.run?.nodes ?? 0) <= NAMES_MAX);
  const on = isolate && id !== undefined && slot !== undefined;
  const encounters = useQuery({ ...encountersQuery(runId, id ?? ''), enabled: on });
  const met = [...new Set(encounters.data?.map((encounter) => encounter.with))];
  const names = useQuery({ ...namesQuery(runId), enabled: on && small });
  const few = met.slice(0, LOOKED_UP_MAX);
  const lookedUp = useQuery({
    queryKey: ['slots', runId, few],
    queryFn: () => Promise.all(few.map((other) => fetchNode(runId, other).then((node) => node.slot))),
    enabled: on && !small && few.length > 0,
  });
  const metKey = met.join();

  useEffect(() => {
    if (!on) {
      set({ isolated: undefined });
      return;
    }
    const wanted = new Set(metKey.split(','));
    const slots = small
      ? names.data?.filter((name) => wanted.has(name.id)).map((name) => name.slot)
      : lookedUp.data;
    set({ isolated: new Set([slot, ...(slots ?? [])]) });
  }, [on, slot, metKey, small, names.data, lookedUp.data, set]);
}
