import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { Node } from '../../api/client';
import { nameQuery, nodeQuery } from '../../api/queries';
import { DIED_INFECTED_BIT, type Frame, indexOf } from '../../live/frame';
import { categoryOf } from '../../map/renderer';
import { useChoices } from '../../ui/choices';
import type { Category } from '../../ui/palette';
import { useSession, useSessionState } from '../../ui/session-context';

export interface Selection {
  /** Known at once when chosen by id, after an answer when chosen on the map. */
  id: string | undefined;
  slot: number | undefined;
  node: Node | undefined;
  /** Chosen, but unknown to this run. */
  unknown: boolean;
}

/** Finds the id of a slot, or the slot of an id, and what the server knows of them. */
export function useSelection(): Selection {
  const { runId } = useSession();
  const { person, slot, select, set } = useChoices();
  const epoch = useSessionState((state) => state.epoch);
  const name = useQuery(nameQuery(runId, person === undefined ? slot : undefined, epoch));
  const node = useQuery(nodeQuery(runId, person, epoch));

  useEffect(() => {
    if (person === undefined && slot !== undefined && typeof name.data === 'string') select(name.data, slot);
  }, [person, slot, name.data, select]);

  const known = node.data?.slot;
  useEffect(() => {
    if (person !== undefined && known !== undefined && known !== slot) set({ slot: known });
  }, [person, known, slot, set]);

  return { id: person, slot, node: node.data, unknown: node.isError || name.data === null };
}

export interface Now {
  category: Category;
  diedInfected: boolean;
  x: number;
  y: number;
}

/** Somebody's state and place at the moment on show; undefined when they are not on the map. */
export function usePersonNow(slot: number | undefined): Now | undefined {
  const session = useSession();
  const run = useSessionState((state) => state.run);
  // The moment is what changes; the frame itself is not React's.
  useSessionState((state) => state.moment);
  const frame = session.picture.current;
  const index = slot === undefined || frame === undefined ? undefined : indexOf(frame, slot);
  if (index === undefined || frame === undefined) return undefined;
  return nowOf(
    frame,
    index,
    Number(run?.parameters.field_width ?? 1),
    Number(run?.parameters.field_height ?? 1),
  );
}

function nowOf(frame: Frame, index: number, width: number, height: number): Now | undefined {
  const state = frame.states[index] as number;
  const category = categoryOf(state);
  if (category === undefined) return undefined;
  return {
    category,
    diedInfected: (state & DIED_INFECTED_BIT) !== 0,
    x: ((frame.xy[2 * index] as number) * width) / 65535,
    y: ((frame.xy[2 * index + 1] as number) * height) / 65535,
  };
}
