import { isTime, steady } from './clock';
import type { Figures, Frame } from './frame';

/** More rows than any screen has columns; above it every second row goes. */
const ROWS_MAX = 6000;
/** Curves are drawn anew at most this often: frames can come twenty times a second. */
const TELL_MS = 500;

export const COLUMNS = [
  'moment',
  'time_ms',
  'total',
  'zombies',
  'deaths',
  'dead_zombies',
  'immune',
  'contacts',
  'infections',
] as const;
export type Column = (typeof COLUMNS)[number];
export type Columns = Record<Column, number[]>;

/**
 * The figures over the moments, in columns: loaded from the server, then carried on by each frame.
 * It also tells which moment was at which time.
 */
export class Series {
  columns: Columns = emptyColumns();
  /** The times as they were said, by row; those in the columns are one clock. */
  private said: number[] = [];
  /** Grows with each change, so that who draws it knows whether to draw again. */
  version = 0;
  private readonly listeners = new Set<() => void>();
  private toldAt = Number.NEGATIVE_INFINITY;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Takes the server's rows; rows that frames have added since then stay. */
  load(rows: Columns): void {
    const fresh = emptyColumns();
    for (const name of COLUMNS) fresh[name] = [...rows[name]];
    const last = fresh.moment.at(-1) ?? -1;
    const old = this.columns;
    const from = old.moment.findIndex((moment) => moment > last);
    const said = [...rows.time_ms];
    if (from >= 0) {
      for (const name of COLUMNS) fresh[name].push(...old[name].slice(from));
      said.push(...this.said.slice(from));
    }
    this.said = said;
    fresh.time_ms = steady(said);
    this.columns = fresh;
    this.changed();
  }

  /** Adds a frame's figures when it is newer than all. Contacts and infections are not in a frame: NaN until loaded. */
  add(frame: Frame): void {
    const { columns } = this;
    if (frame.moment <= (columns.moment.at(-1) ?? -1)) return;
    columns.moment.push(frame.moment);
    this.say(frame.timeMs);
    for (const name of ['total', 'zombies', 'deaths', 'dead_zombies', 'immune'] as const) {
      columns[name].push(frame.figures[name]);
    }
    for (const name of ['contacts', 'infections'] as const) columns[name].push(Number.NaN);
    if (columns.moment.length > ROWS_MAX) this.thin();
    this.changed();
  }

  /** Carries the clock on; what does not fit what was said before may show that something before it did not. */
  private say(timeMs: number): void {
    const { columns } = this;
    const fits =
      isTime(timeMs) && columns.time_ms.at(-1) === this.said.at(-1) && timeMs >= (this.said.at(-1) ?? timeMs);
    this.said.push(timeMs);
    if (fits) columns.time_ms.push(timeMs);
    else columns.time_ms = steady(this.said);
  }

  /** A moment's time as a frame says it, kept between those of the rows around it. */
  timeOf(moment: number, saidMs: number): number {
    const { moment: moments, time_ms } = this.columns;
    const row = lowerBound(moments, moment);
    if (moments[row] === moment) return time_ms[row] as number;
    const [from, to] = [
      time_ms[row - 1] ?? Number.NEGATIVE_INFINITY,
      time_ms[row] ?? Number.POSITIVE_INFINITY,
    ];
    return isTime(saidMs) ? Math.min(to, Math.max(from, saidMs)) : (this.timeAt(moment) ?? 0);
  }

  /** The time of a moment, reckoned between the rows that are known; undefined when none is. */
  timeAt(moment: number): number | undefined {
    return between(this.columns.moment, this.columns.time_ms, moment);
  }

  /** The moment in force at a time: the last of those that are not after it. */
  momentAt(timeMs: number): number | undefined {
    const { moment, time_ms } = this.columns;
    if (moment.length === 0) return undefined;
    // Many devices report at the same time, so that several moments can have it.
    const after = upperBound(time_ms, timeMs);
    const [from, to] = [moment[after - 1], moment[after]];
    if (from === undefined) return moment[0];
    if (to === undefined) return from;
    const [fromMs, toMs] = [time_ms[after - 1] as number, time_ms[after] as number];
    return Math.floor(from + ((to - from) * (timeMs - fromMs)) / (toMs - fromMs) + 1e-6);
  }

  /** The moment whose time is nearest to this one. */
  nearestTo(timeMs: number): number | undefined {
    const before = this.momentAt(timeMs);
    if (before === undefined) return undefined;
    const off = (moment: number) => Math.abs((this.timeAt(moment) ?? timeMs) - timeMs);
    return off(before + 1) < off(before) ? before + 1 : before;
  }

  /** The figures of the known row nearest to a moment. */
  figuresAt(moment: number): Figures | undefined {
    const { columns } = this;
    const row = Math.min(columns.moment.length - 1, lowerBound(columns.moment, moment));
    if (row < 0) return undefined;
    const pick = (name: Column) => columns[name][row] ?? 0;
    return {
      total: pick('total'),
      zombies: pick('zombies'),
      deaths: pick('deaths'),
      dead_zombies: pick('dead_zombies'),
      immune: pick('immune'),
    };
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private thin(): void {
    const last = this.columns.moment.length - 1;
    const stays = (_: number, i: number) => i % 2 === 0 || i === last;
    for (const name of COLUMNS) this.columns[name] = this.columns[name].filter(stays);
    this.said = this.said.filter(stays);
  }

  private changed(): void {
    this.version += 1;
    if (this.timer !== undefined) return;
    const wait = this.toldAt + TELL_MS - performance.now();
    if (wait <= 0) this.tell();
    else this.timer = setTimeout(() => this.tell(), wait);
  }

  private tell(): void {
    this.timer = undefined;
    this.toldAt = performance.now();
    for (const listener of this.listeners) listener();
  }
}

function emptyColumns(): Columns {
  return Object.fromEntries(COLUMNS.map((name) => [name, []])) as unknown as Columns;
}

/** The first index whose value is not below `value`. */
export function lowerBound(values: readonly number[], value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first index whose value is above `value`. */
function upperBound(values: readonly number[], value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Piecewise linear: the y at x, ends held. */
function between(xs: readonly number[], ys: readonly number[], x: number): number | undefined {
  if (xs.length === 0) return undefined;
  const right = lowerBound(xs, x);
  if (right === 0) return ys[0];
  if (right >= xs.length) return ys.at(-1);
  const x0 = xs[right - 1] as number;
  const x1 = xs[right] as number;
  const y0 = ys[right - 1] as number;
  const y1 = ys[right] as number;
  return x1 === x0 ? y1 : y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}
