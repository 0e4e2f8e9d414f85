import { expect, test } from 'vitest';
import type { Frame } from './frame';
import { COLUMNS, type Columns, lowerBound, Series } from './series';

const rows = (moments: number[], from = 1000): Columns => {
  const columns = Object.fromEntries(COLUMNS.map((name) => [name, moments.map((m) => m * 2)])) as Columns;
  return { ...columns, moment: moments, time_ms: moments.map((m) => from + m * 500) };
};
const frame = (moment: number, zombies = 1) =>
  ({
    moment,
    timeMs: 1000 + moment * 500,
    figures: { total: 5, zombies, deaths: 0, dead_zombies: 0, immune: 0 },
  }) as Frame;

test('a frame newer than all is added, an older one is not', () => {
  const series = new Series();
  series.add(frame(3));
  series.add(frame(2));
  series.add(frame(5, 4));
  expect(series.columns.moment).toEqual([3, 5]);
  expect(series.columns.zombies).toEqual([1, 4]);
});

test('loading keeps the rows that frames have added meanwhile', () => {
  const series = new Series();
  series.load(rows([0, 10]));
  series.add(frame(12));
  series.load(rows([0, 5, 11]));
  expect(series.columns.moment).toEqual([0, 5, 11, 12]);
});

test('contacts, which frames do not hold, are unknown until they are loaded', () => {
  const series = new Series();
  series.load(rows([0, 10]));
  series.add(frame(12));
  expect(series.columns.contacts).toEqual([0, 20, Number.NaN]);
});

test('time and moment are found between the rows that are known', () => {
  const series = new Series();
  series.load(rows([0, 10, 20]));
  expect(series.timeAt(15)).toBe(8500);
  expect(series.momentAt(8500)).toBe(15);
  expect(series.momentAt(8400)).toBe(14);
  expect(series.momentAt(0)).toBe(0);
  expect(series.timeAt(99)).toBe(11_000);
});

test('of moments of the same time the last is in force, and a second further is another second', () => {
  const series = new Series();
  const moments = [0, 1, 2, 3, 4, 5];
  series.load({ ...rows(moments), time_ms: [1000, 1000, 1000, 2003, 2003, 3001] });
  expect(series.momentAt(1000)).toBe(2);
  expect(series.momentAt(2000)).toBe(2);
  expect(series.nearestTo(2000)).toBe(3);
  expect(series.nearestTo(1000)).toBe(2);
  expect(series.nearestTo(2003 + 1000)).toBe(5);
  expect(series.nearestTo(3001 - 1000)).toBe(3);
});

test('the clock of the run does not go back for what was held up on its way', () => {
  const series = new Series();
  series.load({ ...rows([0, 1, 2, 3, 4, 5]), time_ms: [1000, 3900, 4000, 2000, 4000, 5000] });
  series.add({ ...frame(6), timeMs: 3000 });
  expect(series.columns.time_ms).toEqual([1000, 3900, 4000, 4000, 4000, 5000, 5000]);
  expect(series.momentAt(4500)).toBe(4);
  expect(series.timeAt(3)).toBe(4000);
});

test('a very long stream is thinned and keeps its end', () => {
  const series = new Series();
  for (let moment = 0; moment <= 6001; moment += 1) series.add(frame(moment));
  expect(series.columns.moment.length).toBeLessThan(3100);
  expect(series.columns.moment.at(-1)).toBe(6001);
});

test('the lower bound is the first value that is not below', () => {
  expect([0, 1, 2, 3, 9].map((v) => lowerBound([1, 3, 3, 5], v))).toEqual([0, 0, 1, 1, 4]);
});

test('one moment of next year moves no other: play, a step of a second and contacts a minute go on', () => {
  const series = new Series();
  const moments = [0, 10, 20, 30];
  const said = (list: number[]) => list.map((moment) => (moment === 20 ? 3e10 : 1000 + moment * 500));
  series.load({ ...rows(moments), time_ms: said(moments) });
  expect(series.columns.time_ms).toEqual([1000, 6000, 6000, 16_000]);
  expect(series.momentAt(11_000)).toBe(25);
  // And one that comes by itself.
  series.add({ ...frame(32), timeMs: 3e10 });
  series.add(frame(33));
  series.add(frame(34));
  expect(series.columns.time_ms.slice(-3)).toEqual([16_000, 17_500, 18_000]);
  expect(series.timeOf(32, 3e10)).toBe(16_000);
  expect(series.timeOf(31, 3e10)).toBe(16_000);
  series.load({ ...rows([0, 10]), time_ms: said([0, 10]) });
  expect(series.columns.time_ms).toHaveLength(series.columns.moment.length);
});
