import { useMemo } from 'react';
import { lowerBound, type Series } from '../live/series';
import { type Happening, useHappenings } from '../ui/happenings';
import { useSeriesVersion, useSession } from '../ui/session-context';
import { texts } from '../ui/texts';

/** Something that happened in a run, beside its time. */
export interface Mark {
  name: string;
  moment: number;
  /** A part of the laboratory was at fault; only its operator sees that. */
  isFault: boolean;
}

/** What is marked beside the time, in its order: the first infection, the peak, and what the operator knows of. */
export function marksOf(series: Series, happenings: readonly Happening[]): Mark[] {
  const { moment, zombies, infections, time_ms } = series.columns;
  const marks: Mark[] = [];
  // A fork's first infection was another run's.
  const seeds = moment[0] === 0 ? (infections[0] ?? 0) : Number.POSITIVE_INFINITY;
  const first = lowerBound(infections, seeds + 1);
  if (first > 0 && Number.isFinite(infections[first]))
    marks.push({ name: texts.time.marks.first, moment: moment[first] as number, isFault: false });
  const peak = zombies.reduce((high, value) => Math.max(high, value), 0);
  if (peak > 1)
    marks.push({
      name: texts.time.marks.peak,
      moment: moment[zombies.indexOf(peak)] as number,
      isFault: false,
    });
  const from = time_ms[0] ?? Number.POSITIVE_INFINITY;
  for (const { atMs, words, isFault } of happenings)
    if (isFault && atMs >= from) marks.push({ name: words, moment: series.momentAt(atMs) ?? 0, isFault });
  return marks.sort((a, b) => a.moment - b.moment);
}

/** The mark next to a moment, in a direction; undefined when there is none. */
export function markFrom(marks: readonly Mark[], moment: number, direction: 1 | -1): Mark | undefined {
  return direction > 0
    ? marks.find((mark) => mark.moment > moment)
    : marks.findLast((mark) => mark.moment < moment);
}

export function useMarks(): Mark[] {
  const { series } = useSession();
  const version = useSeriesVersion();
  const happenings = useHappenings((state) => state.list);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `version` says that the series, which is not React's, has changed.
  return useMemo(() => marksOf(series, happenings), [series, version, happenings]);
}
