import type { RunList } from '../api/client';

/** What the visitor is doing when the list of runs arrives. */
export interface Visit {
  /** The run on show. */
  shown: string | undefined;
  /** The default of the list before. */
  defaultBefore: string | undefined;
  /** The visitor follows what happens now. */
  isLive: boolean;
}

export type Choice = { show: string } | { offer: string } | undefined;

/**
 * Which run to show, now that the list is here: the default when nothing is on show or what is on show was deleted; and
 * whoever follows the default live goes along when another run becomes it. Others are offered that one.
 */
export function choose(
  { runs, defaultRun, hasMore }: RunList,
  { shown, defaultBefore, isLive }: Visit,
): Choice {
  const standing = defaultRun ?? runs[0]?.id;
  if (standing === undefined) return undefined;
  // A run that is not listed may be an older one.
  if (shown === undefined || (!hasMore && !runs.some(({ id }) => id === shown))) return { show: standing };
  if (defaultBefore === undefined || standing === defaultBefore || standing === shown) return undefined;
  return shown === defaultBefore && isLive ? { show: standing } : { offer: standing };
}
