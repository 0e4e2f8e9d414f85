import { expect, test } from 'vitest';
import type { Frame } from '../live/frame';
import { CATEGORIES } from '../ui/palette';
import { countDensity, gridDensity, gridPlace, isCrowded, mixDensity, PLANES } from './density';

const size = { width: 400, height: 400 };
const field = { width: 100, height: 100 };
const view = { x: 50, y: 50, scale: 4 };
const frame = (people: [number, number, number][]) =>
  ({
    count: people.length,
    xy: Uint16Array.from(people.flatMap(([x, y]) => [(x / 100) * 65535, (y / 100) * 65535])),
    states: Uint8Array.from(people.map(([, , state]) => state)),
  }) as Frame;

test('everybody in view is counted once, in their cell and category', () => {
  const density = countDensity(
    frame([
      [10.5, 10.5, 0],
      [10.6, 10.4, 1],
      [50.5, 99.5, 2],
      [30, 30, 3],
    ]),
    view,
    size,
    field,
  );
  const at = (column: number, row: number) =>
    Object.fromEntries(
      CATEGORIES.map((name, plane) => [
        name,
        density.counts[(row * density.columns + column) * PLANES + plane],
      ]),
    );
  expect(density).toMatchObject({ columns: 100, rows: 100 });
  expect(at(10, 89)).toEqual({ safe: 1, infected: 1, dead: 0, immune: 0 });
  expect(at(50, 0)).toEqual({ safe: 0, infected: 0, dead: 1, immune: 0 });
});

test('the same room is used again and emptied', () => {
  const first = countDensity(frame([[10, 10, 0]]), view, size, field);
  const second = countDensity(frame([]), view, size, field, first);
  expect(second.counts).toBe(first.counts);
  expect(second.counts.every((n) => n === 0)).toBe(true);
});

test('it begins when dots would cover half of the map, and stays on a little longer', () => {
  const map = { width: 1000, height: 800 };
  expect(isCrowded(45_001, map, false)).toBe(true);
  expect(isCrowded(44_000, map, false)).toBe(false);
  expect(isCrowded(44_000, map, true)).toBe(true);
  expect(isCrowded(30_000, map, true)).toBe(false);
});

test('the cells that the server counts lie where the people are, north up', () => {
  // 2 by 2 cells of the field; one safe in the south-west, two infected in the north-east.
  const counts = new Uint16Array(16);
  counts[0] = 1;
  counts[4 + 3] = 2;
  const grid = { levels: [1, 1] as const, column: 0, row: 0, columns: 2, rows: 2, inView: 3 };
  const density = gridDensity(grid, counts);
  const at = (column: number, row: number, name: (typeof CATEGORIES)[number]) =>
    density.counts[(row * 2 + column) * PLANES + CATEGORIES.indexOf(name)];
  expect([at(0, 1, 'safe'), at(1, 0, 'infected'), at(0, 0, 'safe')]).toEqual([1, 2, 0]);
  const place = gridPlace(grid, view, size, field);
  for (const [is, wanted] of [
    [place.left, 0],
    [place.top, 0],
    [place.width, 400],
    [place.height, 400],
  ] as const)
    expect(is).toBeCloseTo(wanted, 1);
});

test('between two densities people flow from the one to the other', () => {
  const of = (n: number) => ({ columns: 1, rows: 1, counts: Uint32Array.from({ length: PLANES }, () => n) });
  const mixed = mixDensity(of(4), of(8), 0.25);
  expect([...mixed.counts.subarray(0, CATEGORIES.length)]).toEqual(CATEGORIES.map(() => 5));
  expect(mixDensity(of(4), of(8), 0.5, mixed).counts).toBe(mixed.counts);
});
