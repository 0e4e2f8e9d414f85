import type { Frame } from '../live/frame';
import { placeOf } from '../live/picture';
import { CATEGORIES, rgb } from '../ui/palette';
import {
  CATEGORY_OF_STATE,
  categoryOf,
  FAINT,
  type Look,
  type MapRenderer,
  type RendererOptions,
} from './renderer';
import { makeSprites, type Sprites } from './sprites';
import type { Size, View } from './view';

/** Up to so many people each is stamped with a smooth sprite; above it they are squares in an image buffer. */
export const STAMPS_MAX = 6000;
/** Above it people jump rather than glide: reckoning each place anew for each draw costs too much. */
const GLIDERS_MAX = 100_000;

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
    if (frames === undefined || frames.current.count <= STAMPS_MAX) {
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

  private stampAll(
    look: Look,
    { previous, current }: { previous: Frame | undefined; current: Frame },
    progress: number,
  ): void {
    this.sprites ??= makeSprites(look, this.where?.pixelRatio ?? 1);
    const { people, rings, person, ring } = this.sprites;
    const { ox, oy, kx, ky } = this.transform();
    const { pen } = this;
    for (const [cells, side] of [
      [rings, ring],
      [people, person],
    ] as const) {
      for (const category of CATEGORIES) {
        const cell = cells.get(category);
        if (cell === undefined || !look.shown.has(category)) continue;
        for (let slot = 0; slot < current.count; slot += 1) {
          if (categoryOf(current.states[slot] as number) !== category) continue;
          const place = placeOf(previous, current, slot, progress);
          if (place === undefined) continue;
          const x = ox + place.x * kx;
          const y = oy + place.y * ky;
          if (x < -side || y < -side || x > this.canvas.width + side || y > this.canvas.height + side)
            continue;
          pen.globalAlpha = look.isolated === undefined || look.isolated.has(slot) ? 1 : FAINT;
          pen.drawImage(cell, x - side / 2, y - side / 2);
        }
      }
    }
    pen.globalAlpha = 1;
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
    const stamp: Stamp = { ...this.transform(), width, height, side, pixels, colour: 0 };
    const opacity = look.isolated === undefined ? 1 : FAINT;
    CATEGORIES.forEach((category, index) => {
      if (!look.shown.has(category)) return;
      stamp.colour = packed(look.palette.people[category], category === 'immune' ? opacity * 0.6 : opacity);
      if (previous === undefined || progress >= 1) paintStill(current, index, stamp);
      else paintGliding(previous, current, progress, index, stamp);
    });
    for (const slot of look.isolated ?? []) {
      const category = categoryOf(current.states[slot] ?? 255);
      if (category === undefined) continue;
      stamp.colour = packed(look.palette.people[category], 1);
      const place = placeOf(previous, current, slot, progress);
      if (place !== undefined) square(place.x, place.y, { ...stamp, side: side + 2 });
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
  colour: number;
}

/** The paint of one category, nobody gliding: the loop that a million people go through for each frame. */
function paintStill(frame: Frame, category: number, stamp: Stamp): void {
  const { xy, states, count } = frame;
  const { ox, oy, kx, ky, width, height, side, pixels, colour } = stamp;
  const half = side >> 1;
  const right = width - side;
  const bottom = height - side;
  for (let slot = 0; slot < count; slot += 1) {
    if (CATEGORY_OF_STATE[states[slot] as number] !== category) continue;
    const x = (ox + (xy[2 * slot] as number) * kx - half) | 0;
    const y = (oy + (xy[2 * slot + 1] as number) * ky - half) | 0;
    if (x < 0 || y < 0 || x > right || y > bottom) continue;
    let at = y * width + x;
    for (let row = 0; row < side; row += 1) {
      for (let column = 0; column < side; column += 1) pixels[at + column] = colour;
      at += width;
    }
  }
}

function paintGliding(
  previous: Frame,
  current: Frame,
  progress: number,
  category: number,
  stamp: Stamp,
): void {
  for (let slot = 0; slot < current.count; slot += 1) {
    if (CATEGORY_OF_STATE[current.states[slot] as number] !== category) continue;
    const place = placeOf(previous, current, slot, progress);
    if (place !== undefined) square(place.x, place.y, stamp);
  }
}

function square(u: number, v: number, stamp: Stamp): void {
  const { ox, oy, kx, ky, width, height, side, pixels, colour } = stamp;
  const x = (ox + u * kx - (side >> 1)) | 0;
  const y = (oy + v * ky - (side >> 1)) | 0;
  if (x < 0 || y < 0 || x > width - side || y > height - side) return;
  for (let row = 0; row < side; row += 1)
    pixels.fill(colour, (y + row) * width + x, (y + row) * width + x + side);
}

/** A colour as ImageData keeps it in a little-endian word. */
function packed(colour: string, opacity: number): number {
  const [r, g, b] = rgb(colour);
  return ((Math.round(opacity * 255) << 24) | (b << 16) | (g << 8) | r) >>> 0;
}
