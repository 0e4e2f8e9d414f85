import type { MapHandle } from '../map/handle';
import { useChoices } from '../ui/choices';
import type { RunSession } from '../ui/session-context';

declare global {
  interface Window {
    /** For tests and the curious, read only: what the page shows now. See web/README.md. */
    readonly __coronaz?: ReturnType<typeof look>;
  }
}

function look(session: RunSession, map: MapHandle) {
  const { moment, mode, latest, wanted, figures, growing, awaySince } = session.store.getState();
  return {
    ...{ run: session.runId, moment, mode, latest, wanted, figures, growing, away: awaySince !== undefined },
    renderer: map.current?.kind,
    drawing: useChoices.getState().drawing,
    person: useChoices.getState().person,
    slot: useChoices.getState().slot,
    view: map.current?.view,
    draws: map.current?.draws ?? 0,
    /** Pictures of people that were shown; a draw that found nothing new is none. */
    pictures: map.current?.pictures ?? 0,
    /** Milliseconds of script of each of the last draws. */
    timings: map.current?.timings.slice() ?? [],
    frame: session.picture.current,
    /** Where a slot is on the map, CSS px from its upper left corner. */
    place: (slot: number) => map.current?.screen(slot),
    /** The colour of the people's canvas there, 'rrggbbaa'. */
    colourAt: (at: { x: number; y: number }) => map.current?.colourAt(at),
  };
}

/** Puts the hook on the window until the returned function is called. */
export function exposeForTests(session: RunSession | undefined, map: MapHandle): (() => void) | undefined {
  if (session === undefined) return undefined;
  Object.defineProperty(window, '__coronaz', { configurable: true, get: () => look(session, map) });
  return () => Reflect.deleteProperty(window, '__coronaz');
}
