import { expect, test } from 'vitest';
import { isEnough, windowAround } from './window';

const field = { width: 1000, height: 500 };
const size = { width: 400, height: 200 };
const view = { x: 500, y: 250, scale: 4 };
const around = (at = view, keep: number[] = []) => windowAround(at, size, field, 1000, keep);
const enough = (at: typeof view, keep: number[] = []) =>
  isEnough(around(), around(at, keep), at, size, field);

test('a window is the view with a margin, cells of about four pixels, and as many people for its size', () => {
  const window = around(view, [9, 3, 9]);
  expect(window.area.map((at) => Math.round((at / 65535) * 100))).toEqual([42, 42, 58, 58]);
  expect(window).toMatchObject({ levels: [10, 9], people: 2250, keep: [3, 9] });
});

test('it ends at the field', () => {
  expect(around({ x: 0, y: 500, scale: 0.2 }).area).toEqual([0, 0, 65535, 65535]);
});

test('panning within the margin asks for nothing new', () => {
  expect(enough({ ...view, x: 520 })).toBe(true);
  expect(enough({ ...view, x: 530 })).toBe(false);
});

test('another zoom or another person asks anew', () => {
  expect(enough({ ...view, scale: 4.2 })).toBe(true);
  expect(enough({ ...view, scale: 8 })).toBe(false);
  expect(enough({ ...view, scale: 2.5 })).toBe(false);
  expect(enough(view, [1])).toBe(false);
});

test('never more cells than a frame may have', () => {
  const huge = windowAround({ x: 500, y: 250, scale: 40 }, { width: 40_000, height: 20_000 }, field, 1, []);
  expect(2 ** (huge.levels[0] + huge.levels[1])).toBeLessThanOrEqual(1 << 18);
});
