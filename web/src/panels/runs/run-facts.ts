import type { Run } from '../../api/client';
import type { LaboratoryRun } from '../../api/operator';
import { runTexts } from '../../ui/texts-runs';

export type RunState = 'live' | 'over' | 'failed';

/** A run from which nothing has come for so long is taken as over, when nobody knows better. */
const QUIET_MS = 15_000;

/** Is a run going on? The laboratory knows; visitors go by the time of its newest report. */
export function stateOf(run: Run, known: readonly LaboratoryRun[] | undefined, nowMs: number): RunState {
  const own = known?.find(({ run: id }) => id === run.id);
  if (own !== undefined) return own.state === 'running' ? 'live' : own.state === 'failed' ? 'failed' : 'over';
  return nowMs - run.last_ms < QUIET_MS ? 'live' : 'over';
}

export const lengthOf = (run: Pick<Run, 'started_ms' | 'last_ms'>): number =>
  Math.max(0, run.last_ms - run.started_ms);

/** Why a run cannot be forked; undefined when it can. */
export function forkingForbidden(run: Pick<Run, 'kind' | 'forked_from'>): string | undefined {
  if (run.kind !== 'fleet') return runTexts.fork.onlyFleets;
  return run.forked_from === undefined ? undefined : runTexts.fork.onlyOnce;
}
