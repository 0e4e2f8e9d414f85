import type { Columns } from '../../live/series';
import type { MapPalette } from '../../ui/palette';
import { texts } from '../../ui/texts';
import type { Line } from '../chart/plot';

export const CURVES = ['present', 'incidence', 'meetings'] as const;
export type CurveName = (typeof CURVES)[number];

/** Rates are taken over this share of what is shown, and over at least this time. */
const WINDOW_SHARE = 0.02;
const WINDOW_MS_MIN = 10_000;
const MINUTE_MS = 60_000;

/** The lines of a curve over the rows of the series. */
export function linesOf(curve: CurveName, columns: Columns, { people }: MapPalette): Line[] {
  if (curve === 'incidence') {
    const values = perMinute(columns.time_ms, columns.infections);
    return [{ name: texts.curve.newPerMinute, colour: people.infected, values, filled: true }];
  }
  if (curve === 'meetings') {
    const values = perMinute(columns.time_ms, columns.contacts);
    return [{ name: texts.curve.contactsPerMinute, colour: people.safe, values, filled: true }];
  }
  return [
    { name: texts.figures.zombies, colour: people.infected, values: columns.zombies, filled: true },
    {
      ...{ name: texts.figures.immune, colour: people.immune, values: columns.immune },
      ...{ filled: false, dash: [6, 4] },
    },
    {
      ...{ name: texts.figures.deaths, colour: people.dead, values: columns.deaths },
      ...{ filled: false, dash: [2, 3] },
    },
  ];
}

/** How fast a count that only grows has grown lately, at each row; null where it is not known. */
export function perMinute(timesMs: readonly number[], counts: readonly number[]): (number | null)[] {
  const span = (timesMs.at(-1) ?? 0) - (timesMs[0] ?? 0);
  const window = Math.max(WINDOW_MS_MIN, span * WINDOW_SHARE);
  let from = 0;
  return counts.map((count, row) => {
    const time = timesMs[row] as number;
    while (from < row && time - (timesMs[from + 1] as number) >= window) from += 1;
    const elapsed = time - (timesMs[from] as number);
    const rate = ((count - (counts[from] as number)) / elapsed) * MINUTE_MS;
    return elapsed > 0 && Number.isFinite(rate) ? rate : null;
  });
}

/** Rows for a table: at most `most`, evenly, the last one always. */
export function sampled(rows: number, most: number): number[] {
  if (rows <= most) return Array.from({ length: rows }, (_, row) => row);
  return Array.from({ length: most }, (_, i) => Math.round((i * (rows - 1)) / (most - 1)));
}
