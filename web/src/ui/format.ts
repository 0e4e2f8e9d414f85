/** Numbers and times as the page writes them, in the visitor's own language and zone. */

import { isTime } from '../live/clock';

const count = new Intl.NumberFormat();
const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const date = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});

const dateAndClock = new Intl.DateTimeFormat(undefined, {
  ...{ month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' },
  hourCycle: 'h23',
});

const short = new Intl.NumberFormat(undefined, { notation: 'compact', maximumSignificantDigits: 4 });
const SHORT_FROM = 1_000_000;

export const formatCount = (value: number): string => count.format(value);
/** What a time that no Date can hold is written as. */
const NO_TIME = '–';
export const formatClock = (ms: number): string => (isTime(ms) ? clock.format(ms) : NO_TIME);
export const formatDate = (ms: number): string => (isTime(ms) ? date.format(ms) : NO_TIME);

/** The time, with its date where that is not today's. */
export function formatWhen(ms: number, nowMs = Date.now()): string {
  if (!isTime(ms)) return NO_TIME;
  const isToday = new Date(ms).toDateString() === new Date(nowMs).toDateString();
  return isToday ? clock.format(ms) : dateAndClock.format(ms);
}

/** A count where there is little room: '999,999', '9.944M'. */
export const formatShort = (value: number): string =>
  value < SHORT_FROM ? count.format(value) : short.format(value);

/** A length of time in at most two units: '45 s', '2 min 5 s', '3 h 20 min'. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return NO_TIME;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The first part of a UUID, enough for a reader; the whole is in its title. */
export const shortId = (id: string): string => id.slice(0, 8);

/** A size in the unit that keeps it short: '512 B', '3.4 MB'. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** A number a second: '0.4', '12', '1,234'. */
export const formatRate = (rate: number): string =>
  rate > 0 && rate < 10 ? rate.toFixed(1) : formatCount(Math.round(rate));

/** Seconds since a beginning, as a stopwatch has them: '1:05', '2:00:05'. */
export function formatElapsed(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
