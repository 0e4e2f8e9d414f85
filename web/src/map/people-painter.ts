import { indexOf, type People, slotAt } from '../live/frame';
import { placeOf } from '../live/picture';
import { CATEGORIES, type Category } from '../ui/palette';
import { categoryOf, FAINT, type Look } from './renderer';
import { makeSprites, type Sprites } from './sprites';
import { type Canvas, classesOf, develop, paintMost, paintThese } from './squares';
import type { Field, Size, View } from './view';

/** Where on the field a picture of people looks, and how large it is. */
export interface Where {
  view: View;
  size: Size;
  pixelRatio: number;
  field: Field;
}

/** One picture of people. */
export interface PeopleScene {
  previous: People | undefined;
  current: People;
  /** How far the glide from the one to the other is, 0 to 1. */
  progress: number;
  look: Look;
  /** Sprites are made anew when this has changed. */
  lookId: number;
  where: Where;
}

type Pen = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** Paints people with a 2D pen, on the page or in a worker: stamps for the few, an image buffer for the many. */
export class PeoplePainter<P extends Pen = Pen> {
  private sprites: { made: Sprites; lookId: number; pixelRatio: number } | undefined;
  private image: ImageData | undefined;
  private classes = new Uint8Array();
  /** Room for the slots that are painted last. */
  private later = new Uint32Array();

  constructor(readonly pen: P) {}

  paint(scene: PeopleScene): void {
    this.fit(scene.where);
    if (scene.look.effort.squares) {
      this.paintSquares(scene);
    } else {
      const { canvas } = this.pen;
      this.pen.clearRect(0, 0, canvas.width, canvas.height);
      this.stampAll(scene);
    }
  }

  /** Makes the canvas as large as the picture; that empties it. */
  fit({ size, pixelRatio }: Where): void {
    const { canvas } = this.pen;
    const width = Math.round(size.width * pixelRatio);
    const height = Math.round(size.height * pixelRatio);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
  }

  private spritesFor({ look, lookId, where: { pixelRatio } }: PeopleScene): Sprites {
    const { sprites } = this;
    if (sprites?.lookId === lookId && sprites.pixelRatio === pixelRatio) return sprites.made;
    this.sprites = { made: makeSprites(look, pixelRatio), lookId, pixelRatio };
    return this.sprites.made;
  }

  /** Smooth sprites, ring by ring and then person by person, category by category. */
  private stampAll(scene: PeopleScene): void {
    const { people, rings, person, ring } = this.spritesFor(scene);
    const { pen } = this;
    const { isolated } = scene.look;
    const margin = rings.size > 0 ? Math.max(person, ring) : person;
    const seen = this.inView(scene, margin);
    for (const [cells, side] of [
      [rings, ring],
      [people, person],
    ] as const) {
      for (const category of CATEGORIES) {
        const cell = cells.get(category);
        if (cell === undefined) continue;
        for (const { slot, x, y } of seen[category]) {
          pen.globalAlpha = isolated === undefined || isolated.has(slot) ? 1 : FAINT;
          pen.drawImage(cell, x - side / 2, y - side / 2);
        }
      }
    }
    pen.globalAlpha = 1;
  }

  /** Who is to be seen, and where on the canvas. */
  private inView(
    { look, previous, current, progress, where }: PeopleScene,
    margin: number,
  ): Record<Category, { slot: number; x: number; y: number }[]> {
    const { ox, oy, kx, ky } = transform(where);
    const { width, height } = this.pen.canvas;
    const seen = { dead: [], safe: [], immune: [], infected: [] } as ReturnType<PeoplePainter['inView']>;
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

  private paintSquares({ previous, current, progress, look, where }: PeopleScene): void {
    const { width, height } = this.pen.canvas;
    if (this.image?.width !== width || this.image.height !== height) {
      this.image = new ImageData(width, height);
      this.classes = new Uint8Array(width * height);
    } else this.classes.fill(0);
    const side = Math.max(1, Math.round(2 * look.dotPx * where.pixelRatio));
    const canvas: Canvas = { ...transform(where), width, height, side, classes: this.classes };
    const classes = classesOf(look, false);
    if (this.later.length < current.count) this.later = new Uint32Array(Math.ceil(current.count * 1.25));
    const before = previous === undefined || progress >= 1 ? current : previous;
    const infected = paintMost(before, current, progress, classes, canvas, this.later);
    paintThese(before, current, progress, classes, canvas, infected);
    if (look.isolated !== undefined) {
      const few = Uint32Array.from(
        [...look.isolated].map((slot) => indexOf(current, slot)).filter((index) => index !== undefined),
      );
      paintThese(before, current, progress, classesOf(look, true), { ...canvas, side: side + 2 }, few);
    }
    develop(canvas, look, new Uint32Array(this.image.data.buffer));
    this.pen.putImageData(this.image, 0, 0);
  }
}

/** From frame units (0 to 65535) to device pixels: x = ox + u * kx, y = oy + v * ky. */
function transform({ view, size, pixelRatio, field }: Where) {
  const scale = view.scale * pixelRatio;
  return {
    ox: (size.width * pixelRatio) / 2 - view.x * scale,
    oy: (size.height * pixelRatio) / 2 + view.y * scale,
    kx: (field.width * scale) / 65535,
    ky: (-field.height * scale) / 65535,
  };
}
