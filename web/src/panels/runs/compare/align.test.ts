import { expect, test } from 'vitest';
import type { Statistics } from '../../../api/client';
import { align, figureOf, lastOf, peakOf } from './align';

const run = (startMs: number, times: number[], zombies: number[], total = 10): Statistics => ({
  moment: times.map((_, i) => i),
  time_ms: times.map((t) => startMs + t * 1000),
  total: times.map(() => total),
  zombies,
  ...{ deaths: zombies, dead_zombies: zombies, immune: zombies },
  contacts: times.map((t) => t * 2),
  infections: times.map((t) => t),
});

test('runs are laid over one another from their own beginnings', () => {
  const { seconds, values } = align(
    [run(50_000, [0, 1, 2, 3], [1, 2, 3, 4]), run(9_000_000, [0, 2], [7, 9])],
    'zombies',
    false,
  );
  expect(seconds).toEqual([0, 1, 2, 3]);
  expect(values).toEqual([
    [1, 2, 3, 4],
    [7, 7, 9, null],
  ]);
});

test('a fork’s curve begins where it left the other run, over that run’s own', () => {
  const { seconds, values } = align(
    [run(50_000, [0, 1, 2, 3], [1, 2, 3, 4]), run(9_000_000, [2, 3, 4], [3, 5, 6])],
    'zombies',
    false,
    [undefined, 9_000_000],
  );
  expect(seconds).toEqual([0, 1, 2, 3, 4]);
  expect(values).toEqual([
    [1, 2, 3, 4, null],
    [null, null, 3, 5, 6],
  ]);
});

test('a long run is thinned to places that a screen can show', () => {
  const times = Array.from({ length: 10_000 }, (_, i) => i);
  const { seconds, values } = align([run(0, times, times)], 'zombies', false);
  expect(seconds.length).toBeLessThanOrEqual(600);
  expect(seconds[1]).toBe(20);
  expect(values[0]?.[5]).toBe(100);
});

test('a share is of the people of the run', () => {
  expect(figureOf(run(0, [0, 1], [1, 5], 20), 'zombies', true)).toEqual([5, 25]);
});

test('rates are those of the epidemic curve', () => {
  expect(figureOf(run(0, [0, 60, 120], [0, 0, 0]), 'incidence', false)).toEqual([null, 60, 60]);
});

test('peak and end are found', () => {
  const aligned = align([run(0, [0, 1, 2, 3], [1, 8, 3, 2])], 'zombies', false);
  expect(peakOf(aligned, 0)).toEqual({ value: 8, second: 1 });
  expect(lastOf(aligned, 0)).toBe(2);
});

test('nothing to compare is an empty chart', () => {
  expect(align([], 'zombies', false)).toEqual({ seconds: [0], values: [] });
});
