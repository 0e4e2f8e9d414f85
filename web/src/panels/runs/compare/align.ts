import type { Statistics } from '../../../api/client';
import { perMinute } from '../../curve/lines';

export const FIGURES = ['zombies', 'immune', 'deaths', 'total', 'incidence', 'meetings'] as const;
export type FigureName = (typeof FIGURES)[number];

/** So many places on the time axis are enough for any screen. */
const PLACES_MAX = 600;

/** Curves of several runs over one time axis, which begins where each run begins. */
export interface Aligned {
  /** Seconds since the beginning. */
  seconds: number[];
  /** A curve for each run, null where the run was not yet or is over. */
  values: (number | null)[][];
}

/** A figure of a run at each of its rows; with `share`, in percent of its people. */
export function figureOf(statistics: Statistics, figure: FigureName, share: boolean): (number | null)[] {
  const values =
    figure === 'incidence'
      ? perMinute(statistics.time_ms, statistics.infections)
      : figure === 'meetings'
        ? perMinute(statistics.time_ms, statistics.contacts)
        : statistics[figure];
  if (!share) return [...values];
  return values.map((value, row) => {
    const people = statistics.total[row] ?? 0;
    return value === null || people === 0 ? null : (100 * value) / people;
  });
}

/**
 * Puts runs of different length and pace over one another: at each place the last value known by then. `begunMs` tells
 * when a run began whose first rows are not its own: a fork's curve leaves that of the other run where the runs part.
 */
export function align(
  runs: readonly Statistics[],
  figure: FigureName,
  share: boolean,
  begunMs: readonly (number | undefined)[] = [],
): Aligned {
  const starts = runs.map(({ time_ms }, index) => begunMs[index] ?? time_ms[0] ?? 0);
  const lengths = runs.map(({ time_ms }, index) => Math.max(0, (time_ms.at(-1) ?? 0) - (starts[index] ?? 0)));
  const longest = Math.max(0, ...lengths);
  const step = niceStep(longest / 1000 / PLACES_MAX);
  const places = Math.floor(longest / 1000 / step) + 1;
  const seconds = Array.from({ length: places }, (_, i) => i * step);
  const values = runs.map((run, index) => {
    const all = figureOf(run, figure, share);
    const start = starts[index] as number;
    let row = 0;
    return seconds.map((second) => {
      const ms = second * 1000;
      // The last place of a run may lie a little before its end.
      if (ms < (run.time_ms[0] ?? 0) - start) return null;
      if (run.time_ms.length === 0 || ms > (lengths[index] as number) + step * 1000 - 1) return null;
      while (row + 1 < run.time_ms.length && (run.time_ms[row + 1] as number) - start <= ms) row += 1;
      return all[row] ?? null;
    });
  });
  return { seconds, values };
}

/** 1, 2 or 5 times a power of ten, at least one second. */
function niceStep(least: number): number {
  if (least <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10);
}

/** The highest value and when it was; undefined when there is none. */
export function peakOf(aligned: Aligned, index: number): { value: number; second: number } | undefined {
  let best: { value: number; second: number } | undefined;
  aligned.values[index]?.forEach((value, row) => {
    if (value !== null && (best === undefined || value > best.value))
      best = { value, second: aligned.seconds[row] as number };
  });
  return best;
}

export const lastOf = (aligned: Aligned, index: number): number | undefined =>
  aligned.values[index]?.findLast((value) => value !== null) ?? undefined;
