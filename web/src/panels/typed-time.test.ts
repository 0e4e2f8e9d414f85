import { expect, test } from 'vitest';
import { readTyped } from './typed-time';

const at = (day: number, hours: number, minutes = 0, seconds = 0) =>
  new Date(2026, 10, day, hours, minutes, seconds).getTime();
const run = { shownMs: at(23, 0, 5), firstMs: at(22, 23, 30), lastMs: at(23, 0, 10) };

test('a number is a day, with or without its word', () => {
  expect(readTyped(' 120 ', run)).toEqual({ moment: 120 });
  expect(readTyped('Day 7', run)).toEqual({ moment: 7 });
});

test('a time of the clock is looked for within the run, also before midnight', () => {
  expect(readTyped('0:07', run)).toEqual({ ms: at(23, 0, 7) });
  expect(readTyped('23:45:10', run)).toEqual({ ms: at(22, 23, 45, 10) });
});

test('a time outside of the run is the nearest there is', () => {
  expect(readTyped('0:30', run)).toEqual({ ms: at(23, 0, 30) });
});

test('anything else is refused', () => {
  for (const text of ['', 'soon', '25:00', '12:61', '-4', '1.5', '12:3'])
    expect(readTyped(text, run)).toBe(undefined);
});
