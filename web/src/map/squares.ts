import { DRAWN, DRAWN_MASK, type People } from '../live/frame';
import { CATEGORIES, rgb } from '../ui/palette';
import { CATEGORY_OF_STATE, FAINT, type Look, wordsOf } from './renderer';

/** The immune are round and hollow up close, and paler in a crowd. */
const IMMUNE_OPACITY = 0.6;
/** Added to the class of those who are isolated. */
const STANDS_OUT = CATEGORIES.length;

/**
 * Everybody as a small disc on a canvas of classes, a byte a pixel: 0 for nobody, then a category. A million scattered
 * writes find a canvas of bytes in the processor's cache and one of colours not, which takes more than twice as long.
 */
export interface Canvas {
  /** From frame units (0 to 65535) to device pixels: x = ox + u * kx, y = oy + v * ky. */
  ox: number;
  oy: number;
  kx: number;
  ky: number;
  width: number;
  height: number;
  /** Across a disc, device px. */
  side: number;
  classes: Uint8Array;
}

/** The class of each state byte; 0 for those who are not drawn. */
export function classesOf({ shown }: Look, standOut: boolean): Uint8Array {
  return CATEGORY_OF_STATE.map((index) => {
    const category = CATEGORIES[index];
    if (category === undefined || !shown.has(category)) return 0;
    return index + 1 + (standOut ? STANDS_OUT : 0);
  });
}

/** The classes as colours, as ImageData keeps them. */
export function develop({ classes }: Canvas, look: Look, pixels: Uint32Array): void {
  const { people } = look.palette;
  const colours = new Uint32Array(256);
  CATEGORIES.forEach((category, index) => {
    const opacity = category === 'immune' ? IMMUNE_OPACITY : 1;
    colours[index + 1] = packed(people[category], look.isolated === undefined ? opacity : opacity * FAINT);
    colours[index + 1 + STANDS_OUT] = packed(people[category], opacity);
  });
  for (let at = 0; at < pixels.length; at += 1) pixels[at] = colours[classes[at] as number] as number;
}

/**
 * The loop that a million people go through for each picture: paints all but the infected, whose indices it
 * puts into `later`, so that they lie on top. No calls and no objects in it.
 */
export function paintMost(
  before: People,
  current: People,
  progress: number,
  classOf: Uint8Array,
  canvas: Canvas,
  later: Uint32Array,
): Uint32Array {
  const { states, count } = current;
  const places = wordsOf(current);
  const { states: states0, count: count0 } = before;
  const places0 = wordsOf(before);
  const { side, width, classes } = canvas;
  const insets = insetsOf(side);
  const { ox, oy, kx0, ky0, kx1, ky1, right, bottom } = glideOf(canvas, progress);
  let infected = 0;
  for (let index = 0; index < count; index += 1) {
    const state = states[index] as number;
    const drawn = classOf[state] as number;
    if (drawn === 0) continue;
    if ((state & DRAWN_MASK) === DRAWN.infected) {
      later[infected] = index;
      infected += 1;
      continue;
    }
    const to = places[index] as number;
    const wasThere = index < count0 && ((states0[index] as number) & DRAWN_MASK) !== DRAWN.absent;
    const from = wasThere ? (places0[index] as number) : to;
    const x = (ox + (from & 0xffff) * kx0 + (to & 0xffff) * kx1) | 0;
    const y = (oy + (from >>> 16) * ky0 + (to >>> 16) * ky1) | 0;
    if (x >>> 0 > right || y >>> 0 > bottom) continue;
    let at = y * width + x;
    if (side === 2) {
      classes[at] = drawn;
      classes[at + 1] = drawn;
      classes[at + width] = drawn;
      classes[at + width + 1] = drawn;
    } else {
      for (let row = 0; row < side; row += 1) {
        const inset = insets[row] as number;
        for (let column = inset; column < side - inset; column += 1) classes[at + column] = drawn;
        at += width;
      }
    }
  }
  return later.subarray(0, infected);
}

/** Paints certain people: the loop of {@link paintMost}, over indices; see there why nothing of it is a function. */
export function paintThese(
  before: People,
  current: People,
  progress: number,
  classOf: Uint8Array,
  canvas: Canvas,
  indices: Uint32Array,
): void {
  const { states } = current;
  const places = wordsOf(current);
  const { states: states0, count: count0 } = before;
  const places0 = wordsOf(before);
  const { side, width, classes } = canvas;
  const insets = insetsOf(side);
  const { ox, oy, kx0, ky0, kx1, ky1, right, bottom } = glideOf(canvas, progress);
  for (let i = 0; i < indices.length; i += 1) {
    const index = indices[i] as number;
    const drawn = classOf[states[index] as number] as number;
    if (drawn === 0) continue;
    const to = places[index] as number;
    const wasThere = index < count0 && ((states0[index] as number) & DRAWN_MASK) !== DRAWN.absent;
    const from = wasThere ? (places0[index] as number) : to;
    const x = (ox + (from & 0xffff) * kx0 + (to & 0xffff) * kx1) | 0;
    const y = (oy + (from >>> 16) * ky0 + (to >>> 16) * ky1) | 0;
    if (x >>> 0 > right || y >>> 0 > bottom) continue;
    for (let row = 0; row < side; row += 1) {
      const inset = insets[row] as number;
      const at = (y + row) * width + x;
      classes.fill(drawn, at + inset, at + side - inset);
    }
  }
}

/** How far each row of a disc is from the sides of its square; very small discs are squares. */
function insetsOf(side: number): Int32Array {
  const radius = side / 2;
  return Int32Array.from({ length: side }, (_, row) => {
    const off = row + 0.5 - radius;
    return side < 4 ? 0 : Math.round(radius - Math.sqrt(radius * radius - off * off));
  });
}

/** Both ends of a glide in one sum: what each of them adds to a place, and where a square still fits. */
function glideOf({ ox, oy, kx, ky, width, height, side }: Canvas, progress: number) {
  const half = side >> 1;
  return {
    ox: ox - half,
    oy: oy - half,
    kx0: kx * (1 - progress),
    ky0: ky * (1 - progress),
    kx1: kx * progress,
    ky1: ky * progress,
    right: Math.max(0, width - side),
    bottom: Math.max(0, height - side),
  };
}

/** A colour as ImageData keeps it in a little-endian word. */
function packed(colour: string, opacity: number): number {
  const [r, g, b] = rgb(colour);
  return ((Math.round(opacity * 255) << 24) | (b << 16) | (g << 8) | r) >>> 0;
}
