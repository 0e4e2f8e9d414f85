import { type Grid, type People, PLANE } from '../live/frame';
import { CATEGORIES, type Category, type MapPalette, rgb } from '../ui/palette';
import { CATEGORY_OF_STATE, wordsOf } from './renderer';
import type { Field, Size, View } from './view';

/** Side of a cell, CSS px. */
export const CELL_PX = 4;
/** So many dots of 3 px cover half of a map of 1000 by 800: more of them only hide each other. */
const PEOPLE_PER_PX = 45_000 / (1000 * 800);
/** Once on, it stays on until there are clearly fewer, so that it does not flicker. */
const STAYS = 0.85;
/** The faintest cell with somebody in it. */
const OPACITY_MIN = 0.22;

/** The categories, and one that nobody looks at for those who are not there: cheaper than to ask each time. */
export const PLANES = 8;
const PLANE_OF_STATE = CATEGORY_OF_STATE.map((category) => Math.min(category, CATEGORIES.length));
const INFECTED = CATEGORIES.indexOf('infected');
const DEAD = CATEGORIES.indexOf('dead');

/** So many people can be told apart on a map of this size. */
export function crowdFrom(size: Size, already: boolean): number {
  return PEOPLE_PER_PX * size.width * size.height * (already ? STAYS : 1);
}

/** Are there more people in view than can be told apart? */
export function isCrowded(inView: number, size: Size, already: boolean): boolean {
  return inView > crowdFrom(size, already);
}

export interface Density {
  columns: number;
  rows: number;
  /** For each cell, `PLANES` counts: one per category first. */
  counts: Uint32Array | Float32Array;
}
type Counted = Density & { counts: Uint32Array };

/** How many of each category are in each cell of the map; the one loop over everybody. */
export function countDensity(people: People, view: View, size: Size, field: Field, into?: Counted): Counted {
  const columns = Math.ceil(size.width / CELL_PX);
  const rows = Math.ceil(size.height / CELL_PX);
  const fits = into?.columns === columns && into.rows === rows;
  const density: Counted = fits ? into : { columns, rows, counts: new Uint32Array(columns * rows * PLANES) };
  const { counts } = density;
  if (fits) counts.fill(0);
  const { states, count } = people;
  const places = wordsOf(people);
  const kx = (field.width * view.scale) / 65535 / CELL_PX;
  const ky = (-field.height * view.scale) / 65535 / CELL_PX;
  const ox = (size.width / 2 - view.x * view.scale) / CELL_PX;
  const oy = (size.height / 2 + view.y * view.scale) / CELL_PX;
  for (let slot = 0; slot < count; slot += 1) {
    const place = places[slot] as number;
    const column = (ox + (place & 0xffff) * kx) | 0;
    const row = (oy + (place >>> 16) * ky) | 0;
    if (column >>> 0 >= columns || row >>> 0 >= rows) continue;
    const cell = ((row * columns + column) * PLANES) | (PLANE_OF_STATE[states[slot] as number] as number);
    counts[cell] = (counts[cell] as number) + 1;
  }
  return density;
}

/** The server's cells as ours: category by category in each cell, from the north-west. */
export function gridDensity({ columns, rows }: Pick<Grid, 'columns' | 'rows'>, planes: Uint16Array): Counted {
  const counts = new Uint32Array(columns * rows * PLANES);
  const cells = columns * rows;
  CATEGORIES.forEach((category, index) => {
    const plane = planes.subarray(PLANE[category] * cells, (PLANE[category] + 1) * cells);
    for (let row = 0; row < rows; row += 1) {
      const to = (rows - 1 - row) * columns;
      for (let column = 0; column < columns; column += 1)
        counts[(to + column) * PLANES + index] = plane[row * columns + column] as number;
    }
  });
  return { columns, rows, counts };
}

/** Between two densities of the same cells: people flow from the one to the other as the glide goes on. */
export function mixDensity(from: Density, to: Density, progress: number, into?: Density): Density {
  const { columns, rows } = to;
  const fits = into?.columns === columns && into.rows === rows;
  const counts = fits ? into.counts : new Float32Array(to.counts.length);
  for (let cell = 0; cell < counts.length; cell += PLANES) {
    for (let at = cell; at < cell + CATEGORIES.length; at += 1) {
      const n = from.counts[at] as number;
      counts[at] = n + ((to.counts[at] as number) - n) * progress;
    }
  }
  return { columns, rows, counts };
}

/** Where a grid lies on the map, CSS px. */
export function gridPlace(
  { levels, column, row, columns, rows }: Omit<Grid, 'packed' | 'inView'>,
  view: View,
  size: Size,
  field: Field,
) {
  // Positions 0 to 65535 are the field, so 2^16 of them are a little more.
  const cell = (side: number, level: number) => (side * (65536 / 65535)) / 2 ** level;
  const width = cell(field.width, levels[0]);
  const height = cell(field.height, levels[1]);
  return {
    left: size.width / 2 + (column * width - view.x) * view.scale,
    top: size.height / 2 - ((row + rows) * height - view.y) * view.scale,
    width: columns * width * view.scale,
    height: rows * height * view.scale,
  };
}

/** The share of infected as colour, the number of people as strength. */
export function paintDensity(density: Density, palette: MapPalette, shown: ReadonlySet<Category>): ImageData {
  const { columns, rows, counts } = density;
  const image = new ImageData(columns, rows);
  const pixels = image.data;
  const on = CATEGORIES.map((category) => (shown.has(category) ? 1 : 0));
  const cells = columns * rows;
  const numbers = new Float32Array(cells);
  let most = 1;
  for (let cell = 0; cell < cells; cell += 1) {
    let n = 0;
    for (let plane = 0; plane < CATEGORIES.length; plane += 1)
      n += (counts[cell * PLANES + plane] as number) * (on[plane] as number);
    numbers[cell] = n;
    if (n > most) most = n;
  }
  const safe = rgb(palette.people.safe);
  const infected = rgb(palette.people.infected);
  const dead = rgb(palette.people.dead);
  for (let cell = 0; cell < cells; cell += 1) {
    const n = numbers[cell] as number;
    if (n === 0) continue;
    // A few infected among many have to show.
    const hot = Math.sqrt(((counts[cell * PLANES + INFECTED] as number) * (on[INFECTED] as number)) / n);
    const gone = ((counts[cell * PLANES + DEAD] as number) * (on[DEAD] as number)) / n;
    for (let part = 0; part < 3; part += 1) {
      const cool = (safe[part] as number) * (1 - gone) + (dead[part] as number) * gone;
      pixels[cell * 4 + part] = cool * (1 - hot) + (infected[part] as number) * hot;
    }
    pixels[cell * 4 + 3] = 255 * (OPACITY_MIN + (1 - OPACITY_MIN) * (strength(n) / strength(most)));
  }
  return image;
}

/** ln(1 + n), from a table for the usual numbers: it is asked for each cell of each frame. */
const STRENGTHS = Float32Array.from({ length: 1025 }, (_, n) => Math.log1p(n));
function strength(n: number): number {
  if (n >= 1024) return Math.log1p(n);
  const below = STRENGTHS[n | 0] as number;
  return below + ((STRENGTHS[(n | 0) + 1] as number) - below) * (n - (n | 0));
}
