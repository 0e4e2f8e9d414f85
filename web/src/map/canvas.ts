import { DRAWN, DRAWN_MASK, type Frame, indexOf, slotAt } from '../live/frame';
import { placeOf } from '../live/picture';
import { CATEGORIES, type Category, rgb } from '../ui/palette';
import { categoryOf, FAINT, type Look, type MapRenderer, type RendererOptions, wordsOf } from './renderer';
import { makeSprites, type Sprites } from './sprites';
import type { Size, View } from './view';

/** Up to so many people each is stamped with a smooth sprite; above it they are squares in an image buffer. */
export const STAMPS_MAX = 10_000;
/** Above it people jump rather than glide: reckoning each place anew for each draw costs too much. */
const GLIDERS_MAX = 100_000;
/** The immune are round and hollow up close, and paler in a crowd. */
const IMMUNE_OPACITY = 0.6;

/** For machines without a GPU: 2D stamps for the few, an image buffer for the many. */
export class CanvasRenderer implements MapRenderer {
  readonly kind = 'canvas';
  readonly canvas = document.createElement('canvas');
  private readonly pen: CanvasRenderingContext2D;
  private frames: { previous: Frame | undefined; current: Frame } | undefined;
  private look: Look | undefined;
  private sprites: Sprites | undefined;
  private where: { view: View; size: Size; pixelRatio: number } | undefined;
  private image: ImageData | undefined;
  /** Room for the slots that are painted last. */
  private later = new Uint32Array();

  constructor(private readonly options: Pick<RendererOptions, 'field'>) {
    const pen = this.canvas.getContext('2d');
    if (pen === null) throw new Error('no 2D canvas');
    this.pen = pen;
  }

  frame(previous: Frame | undefined, current: Frame): void {
    this.frames = { previous, current };
  }

  view(view: View, size: Size, pixelRatio: number): void {
    const width = Math.round(size.width * pixelRatio);
    const height = Math.round(size.height * pixelRatio);
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    if (this.where?.pixelRatio !== pixelRatio) this.sprites = undefined;
    this.where = { view, size, pixelRatio };
  }

  mode(look: Look): void {
    this.look = look;
    this.sprites = undefined;
  }

  draw(progress: number): void {
    const { look, where, frames, canvas } = this;
    if (look === undefined || where === undefined) return;
    if (frames === undefined || look.inView <= STAMPS_MAX) {
      this.pen.clearRect(0, 0, canvas.width, canvas.height);
      if (frames !== undefined) this.stampAll(look, frames, progress);
    } else {
      this.paintAll(look, frames, frames.current.count > GLIDERS_MAX ? 1 : progress);
    }
  }

  dispose(): void {
    this.image = undefined;
  }

  /** From frame units (0 to 65535) to device pixels: x = ox + u * kx, y = oy + v * ky. */
  private transform() {
    const { view, size, pixelRatio } = this.where as { view: View; size: Size; pixelRatio: number };
    const { field } = this.options;
    const scale = view.scale * pixelRatio;
    return {
      ox: (size.width * pixelRatio) / 2 - view.x * scale,
      oy: (size.height * pixelRatio) / 2 + view.y * scale,
      kx: (field.width * scale) / 65535,
      ky: (-field.height * scale) / 65535,
    };
  }

  /** Smooth sprites, ring by ring and then person by person, category by category. */
  private stampAll(
    look: Look,
    { previous, current }: { previous: Frame | undefined; current: Frame },
    progress: number,
  ): void {
    this.sprites ??= makeSprites(look, this.where?.pixelRatio ?? 1);
    const { people, rings, person, ring } = this.sprites;
    const { pen } = this;
    const margin = rings.size > 0 ? Math.max(person, ring) : person;
    const seen = this.inView(look, previous, current, progress, margin);
    for (const [cells, side] of [
      [rings, ring],
      [people, person],
    ] as const) {
      for (const category of CATEGORIES) {
        const cell = cells.get(category);
        if (cell === undefined) continue;
        for (const { slot, x, y } of seen[category]) {
          pen.globalAlpha = look.isolated === undefined || look.isolated.has(slot) ? 1 : FAINT;
          pen.drawImage(cell, x - side / 2, y - side / 2);
        }
      }
    }
    pen.globalAlpha = 1;
  }

  /** Who is to be seen, and where on the canvas. */
  private inView(
    look: Look,
    previous: Frame | undefined,
    current: Frame,
    progress: number,
    margin: number,
  ): Record<Category, { slot: number; x: number; y: number }[]> {
    const { ox, oy, kx, ky } = this.transform();
    const { width, height } = this.canvas;
    const seen = { dead: [], safe: [], immune: [], infected: [] } as ReturnType<CanvasRenderer['inView']>;
    for (let index = 0; index < current.count; index += 1) {
      const category = categoryOf(current.states[index] as number);
      if (category === undefined || !look.shown.has(category)) continue;
      const x = ox + (current.xy[2 * index] as number) * kx;
      const y = oy + (current.xy[2 * index + 1] as number) * ky;
      if (x < -margin || y < -margin || x > width + margin || y > height + margin) continue;
      const place = progress < 1 ? placeOf(previous, current, index, progress) : undefined;
      const slot = slotAt(current, index);
      seen[category].push(
        place === undefined ? { slot, x, y } : { slot, x: ox + place.x * kx, y: oy + place.y * ky },
      );
    }
    return seen;
  }

  private paintAll(
    look: Look,
    { previous, current }: { previous: Frame | undefined; current: Frame },
    progress: number,
  ): void {
    const { width, height } = this.canvas;
    if (this.image?.width !== width || this.image.height !== height)
      this.image = new ImageData(width, height);
    const pixels = new Uint32Array(this.image.data.buffer);
    pixels.fill(0);
    const side = Math.max(1, Math.round(2 * look.dotPx * (this.where?.pixelRatio ?? 1)));
    const stamp: Stamp = { ...this.transform(), width, height, side, pixels };
    const colours = coloursOf(look, look.isolated === undefined ? 1 : FAINT);
    if (this.later.length < current.count) this.later = new Uint32Array(Math.ceil(current.count * 1.25));
    const glides = previous !== undefined && progress < 1;
    const before = glides ? previous : current;
    const infected = paintMost(before, current, glides ? progress : 1, colours, stamp, this.later);
    paintThese(before, current, glides ? progress : 1, colours, stamp, infected);
    if (look.isolated !== undefined) {
      const few = Uint32Array.from(
        [...look.isolated].map((slot) => indexOf(current, slot)).filter((index) => index !== undefined),
      );
      paintThese(before, current, progress, coloursOf(look, 1), { ...stamp, side: side + 2 }, few);
    }
    this.pen.putImageData(this.image, 0, 0);
  }
}

interface Stamp {
  ox: number;
  oy: number;
  kx: number;
  ky: number;
  width: number;
  height: number;
  side: number;
  pixels: Uint32Array;
}

/** The colour of each state byte as ImageData keeps it; 0 for those who are not drawn. */
function coloursOf(look: Look, opacity: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, state) => {
    const category = categoryOf(state);
    if (category === undefined || !look.shown.has(category)) return 0;
    return packed(look.palette.people[category], category === 'immune' ? opacity * IMMUNE_OPACITY : opacity);
  });
}

/**
 * The loop that a million people go through for each frame: paints all but the infected, whose slots it
 * puts into `later`, so that they lie on top. No calls and no objects in it.
 */
function paintMost(
  before: Frame,
  current: Frame,
  progress: number,
  colours: Uint32Array,
  stamp: Stamp,
  later: Uint32Array,
): Uint32Array {
  const { states, count } = current;
  const places = wordsOf(current);
  const { xy: xy0, states: states0, count: count0 } = before;
  const { ox, oy, kx, ky, width, height, side, pixels } = stamp;
  const half = side >> 1;
  const right = Math.max(0, width - side);
  const bottom = Math.max(0, height - side);
  const glides = before !== current;
  let infected = 0;
  for (let slot = 0; slot < count; slot += 1) {
    const state = states[slot] as number;
    const colour = colours[state] as number;
    if (colour === 0) continue;
    if ((state & DRAWN_MASK) === DRAWN.infected) {
      later[infected] = slot;
      infected += 1;
      continue;
    }
    const place = places[slot] as number;
    let u = place & 0xffff;
    let v = place >>> 16;
    if (glides && slot < count0 && ((states0[slot] as number) & DRAWN_MASK) !== DRAWN.absent) {
      const u0 = xy0[2 * slot] as number;
      const v0 = xy0[2 * slot + 1] as number;
      u = u0 + (u - u0) * progress;
      v = v0 + (v - v0) * progress;
    }
    const x = (ox + u * kx - half) | 0;
    const y = (oy + v * ky - half) | 0;
    if (x >>> 0 > right || y >>> 0 > bottom) continue;
    let at = y * width + x;
    for (let row = 0; row < side; row += 1) {
      for (let column = 0; column < side; column += 1) pixels[at + column] = colour;
      at += width;
    }
  }
  return later.subarray(0, infected);
}

/** Paints certain slots. */
function paintThese(
  before: Frame,
  current: Frame,
  progress: number,
  colours: Uint32Array,
  stamp: Stamp,
  slots: Uint32Array,
): void {
  const { ox, oy, kx, ky, width, height, side, pixels } = stamp;
  for (const slot of slots) {
    const colour = colours[current.states[slot] as number] as number;
    const place = placeOf(before, current, slot, progress);
    if (colour === 0 || place === undefined) continue;
    const x = (ox + place.x * kx - (side >> 1)) | 0;
    const y = (oy + place.y * ky - (side >> 1)) | 0;
    if (x < 0 || y < 0 || x > width - side || y > height - side) continue;
    for (let row = 0; row < side; row += 1)
      pixels.fill(colour, (y + row) * width + x, (y + row) * width + x + side);
  }
}

/** A colour as ImageData keeps it in a little-endian word. */
function packed(colour: string, opacity: number): number {
  const [r, g, b] = rgb(colour);
  return ((Math.round(opacity * 255) << 24) | (b << 16) | (g << 8) | r) >>> 0;
}
