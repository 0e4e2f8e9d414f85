import type { Field, Size, View } from './view';

/** What of the field is asked for; positions 0 to 65535 across it. */
export interface Window {
  /** West, south, east, north. */
  area: [number, number, number, number];
  /** The density's cells: the field has 2^level of them on each axis. */
  levels: [number, number];
  /** So many people can be told apart. */
  people: number;
  /** Slots that are wanted wherever they are, ascending. */
  keep: number[];
}

/** Runs of fewer people are sent whole: that is less work than saying what is looked at. */
export const WINDOW_FROM = 50_000;
/** How much more than the view is asked for, on each side, as a share of it: so far one can pan without waiting. */
export const MARGIN = 0.25;
/** Side of a density's cell, about, CSS px. */
const CELL_PX = 4;
const LEVEL_MAX = 12;
/** More cells than a large screen has at that size would only take longer. */
const CELLS_MAX = 1 << 18;
/** The server keeps an eye on so many. */
const KEEP_MAX = 256;
const UNITS = 65535;

/** The window for a view. `people`: so many in the view itself can be told apart. */
export function windowAround(
  view: View,
  size: Size,
  field: Field,
  people: number,
  keep: Iterable<number>,
): Window {
  const half = { x: size.width / view.scale / 2, y: size.height / view.scale / 2 };
  const unit = (at: number, side: number) => Math.round(Math.min(1, Math.max(0, at / side)) * UNITS);
  const [reachX, reachY] = [half.x * (1 + 2 * MARGIN), half.y * (1 + 2 * MARGIN)];
  const area: Window['area'] = [
    unit(view.x - reachX, field.width),
    unit(view.y - reachY, field.height),
    unit(view.x + reachX, field.width),
    unit(view.y + reachY, field.height),
  ];
  return {
    area,
    levels: levelsFor(view, field, area),
    people: Math.round(Math.min(16e6, people * (1 + 2 * MARGIN) ** 2)),
    keep: [...new Set(keep)].toSorted((a, b) => a - b).slice(0, KEEP_MAX),
  };
}

/** Is the whole field in it? */
export function isEverything({ area: [west, south, east, north] }: Window): boolean {
  return west === 0 && south === 0 && east === UNITS && north === UNITS;
}

/** Does the window still show all that the view shows, as finely? */
export function isEnough(window: Window, now: Window, view: View, size: Size, field: Field): boolean {
  const [west, south, east, north] = window.area;
  const half = { x: size.width / view.scale / 2, y: size.height / view.scale / 2 };
  const x = [Math.max(0, view.x - half.x), Math.min(field.width, view.x + half.x)].map(
    (at) => (at / field.width) * UNITS,
  ) as [number, number];
  const y = [Math.max(0, view.y - half.y), Math.min(field.height, view.y + half.y)].map(
    (at) => (at / field.height) * UNITS,
  ) as [number, number];
  const inside = x[0] >= west - 1 && x[1] <= east + 1 && y[0] >= south - 1 && y[1] <= north + 1;
  const same =
    window.people === now.people &&
    window.levels.join() === now.levels.join() &&
    window.keep.join() === now.keep.join();
  // Zoomed in a little, what was asked for is much more than is shown.
  const share = (now.area[2] - now.area[0] + 1) / (east - west + 1);
  return inside && same && share > 0.6;
}

function levelsFor(view: View, field: Field, [west, south, east, north]: Window['area']): [number, number] {
  const level = (side: number) =>
    Math.min(LEVEL_MAX, Math.max(0, Math.round(Math.log2((side * view.scale) / CELL_PX))));
  const levels: [number, number] = [level(field.width), level(field.height)];
  const cells = () =>
    (((east - west) / UNITS) * 2 ** levels[0] + 2) * (((north - south) / UNITS) * 2 ** levels[1] + 2);
  while (cells() > CELLS_MAX) {
    levels[0] = Math.max(0, levels[0] - 1);
    levels[1] = Math.max(0, levels[1] - 1);
  }
  return levels;
}
