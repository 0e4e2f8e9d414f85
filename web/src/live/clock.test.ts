import { expect, test } from 'vitest';
import { isTime, steady } from './clock';

const YEAR = 365 * 86_400_000;
const seconds = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => (from + i) * 1000);

test('times that follow each other stay as they are', () => {
  expect(steady([])).toEqual([]);
  expect(steady([5, 5, 7])).toEqual([5, 5, 7]);
  expect(steady(seconds(0, 1000))).toEqual(seconds(0, 1000));
});

test('what was held up on its way turns nothing back', () => {
  expect(steady([1, 7, 8, 2, 9, 10])).toEqual([1, 7, 8, 8, 9, 10]);
});

test.each([YEAR, 30_000, -30_000, -YEAR])('ten moments that are %d ms off move no other one', (off) => {
  const off10 = seconds(50, 60).map((ms) => ms + off);
  const times = [...seconds(0, 50), ...off10, ...seconds(60, 120)];
  const clock = steady(times);
  expect([...clock.slice(0, 50), ...clock.slice(60)]).toEqual([...seconds(0, 50), ...seconds(60, 120)]);
  expect(clock.slice(50, 60).every((ms) => ms >= 49_000 && ms <= 60_000)).toBe(true);
});

test('a time of next year at the very end is forgotten with the next moment', () => {
  const times = [...seconds(0, 50), YEAR];
  expect(steady(times).at(-1)).toBe(YEAR);
  expect(steady([...times, 50_000]).slice(-2)).toEqual([49_000, 50_000]);
});

test('numbers that are no times are left out', () => {
  expect(steady([1, Number.NaN, 2, Number.POSITIVE_INFINITY, 9.2e15, 3])).toEqual([1, 1, 2, 2, 2, 3]);
  expect(steady([Number.NaN])).toEqual([0]);
  expect([8.64e15, -8.64e15].map(isTime)).toEqual([true, true]);
  expect([8.7e15, Number.NaN].map(isTime)).toEqual([false, false]);
});
