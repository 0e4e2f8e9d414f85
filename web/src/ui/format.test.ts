import { expect, test } from 'vitest';
import {
  formatBytes,
  formatClock,
  formatCount,
  formatDate,
  formatDuration,
  formatElapsed,
  formatRate,
  formatShort,
  formatWhen,
} from './format';

test('a stopwatch shows hours only when there are some', () => {
  expect([0, 65, 3600, 7205].map(formatElapsed)).toEqual(['0:00', '1:05', '1:00:00', '2:00:05']);
});

test('sizes are in the unit that keeps them short', () => {
  expect([512, 3400, 24_000_000, 1_500_000_000].map(formatBytes)).toEqual([
    '512 B',
    '3.4 kB',
    '24 MB',
    '1.5 GB',
  ]);
});

test('slow rates keep a digit, fast ones none', () => {
  expect([0, 0.42, 12.3, 1234.5].map(formatRate)).toEqual(['0', '0.4', '12', '1,235']);
});

test('a time of another day has its date', () => {
  const now = new Date(2026, 10, 23, 9, 30, 0).getTime();
  expect(formatWhen(now - 60_000, now)).toBe('09:29:00');
  expect(formatWhen(now - 86_400_000, now)).toMatch(/22.*09:30:00/);
});

test('a count is short from a million on', () => {
  expect([999_999, 1_000_000, 9_944_321].map(formatShort)).toEqual(['999,999', '1M', '9.944M']);
});

test('a number that is no time is written without one, whatever it is', () => {
  for (const ms of [9.2e15, -9.2e15, 1e300, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect([formatClock(ms), formatDate(ms), formatWhen(ms)]).toEqual(['–', '–', '–']);
    for (const write of [formatDuration, formatElapsed, formatCount, formatShort, formatBytes, formatRate]) {
      expect(write(ms)).toBeTypeOf('string');
    }
  }
});
