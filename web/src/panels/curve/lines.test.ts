import { expect, test } from 'vitest';
import { perMinute, sampled } from './lines';

test('a count that grows by one a second grows by sixty a minute', () => {
  const times = Array.from({ length: 40 }, (_, i) => i * 1000);
  const counts = times.map((_, i) => i);
  const rates = perMinute(times, counts);
  expect(rates[0]).toBeNull();
  expect(rates.slice(1).every((rate) => Math.abs((rate ?? 0) - 60) < 1e-9)).toBe(true);
});

test('where the count is not known the rate is not either', () => {
  expect(perMinute([0, 10_000, 20_000], [0, 5, Number.NaN])).toEqual([null, 30, null]);
});

test('a table has few rows, the first and the last among them', () => {
  expect(sampled(3, 50)).toEqual([0, 1, 2]);
  const rows = sampled(1000, 50);
  expect(rows).toHaveLength(50);
  expect([rows[0], rows.at(-1)]).toEqual([0, 999]);
});
