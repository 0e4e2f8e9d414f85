import { expect, test } from 'vitest';
import { COLUMNS, type Columns, Series } from '../live/series';
import { markFrom, marksOf } from './time-marks';

function seriesOf(columns: Partial<Columns>): Series {
  const rows = columns.moment?.length ?? 0;
  const series = new Series();
  series.load({
    ...(Object.fromEntries(COLUMNS.map((name) => [name, Array(rows).fill(0)])) as Columns),
    ...columns,
  });
  return series;
}

const town = {
  moment: [0, 1, 2, 3, 4],
  time_ms: [1000, 2000, 3000, 4000, 5000],
  zombies: [2, 2, 5, 4, 1],
  infections: [2, 2, 5, 6, 6],
};

test('the first infection is the first after those of the beginning, the peak is the first of its height', () => {
  expect(marksOf(seriesOf(town), []).map(({ name, moment }) => [name, moment])).toEqual([
    ['First infection', 2],
    ['Most infected', 2],
  ]);
});

test('a run without infected people has no marks', () => {
  const calm = { ...town, zombies: [0, 0, 0, 0, 0], infections: [0, 0, 0, 0, 0] };
  expect(marksOf(seriesOf(calm), [])).toEqual([]);
});

test('a fork does not call the first infection its own', () => {
  const fork = { ...town, moment: [40, 41, 42, 43, 44] };
  expect(marksOf(seriesOf(fork), []).map(({ name }) => name)).toEqual(['Most infected']);
});

test('a fault is marked at its time, one before the run is not, and marks are gone through in order', () => {
  const happenings = [
    { id: 3, atMs: 4100, words: 'broker went away', isFault: true },
    { id: 2, atMs: 3500, words: 'You killed broker', isFault: false },
    { id: 1, atMs: 500, words: 'ingest went away', isFault: true },
  ];
  const marks = marksOf(seriesOf(town), happenings);
  expect(marks.map(({ moment, isFault }) => [moment, isFault])).toEqual([
    [2, false],
    [2, false],
    [3, true],
  ]);
  expect(markFrom(marks, 2, 1)?.moment).toBe(3);
  expect(markFrom(marks, 3, -1)?.moment).toBe(2);
  expect(markFrom(marks, 3, 1)).toBeUndefined();
});
