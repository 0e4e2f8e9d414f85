import type { Frame } from '../live/frame';
import type { DrawStyle } from '../ui/glyphs';
import type { Painted } from './easel';
import type { Painter } from './painter';
import { PeoplePainter, type Where } from './people-painter';
import type { Effort, Look, MapRenderer, RendererOptions } from './renderer';
import type { Size, View } from './view';

/** Up to so many people in view each is stamped with a smooth sprite, at some 4 µs; above it they are discs in an image buffer. */
const STAMPS_MAX = 3000;
/** Shapes other than discs are worth the wait. */
const SHAPES_MAX = 10_000;
/** Up to so many in view are stamped at once, by the page's own thread; more are painted apart and shown when ready. */
const AT_ONCE_MAX = 1500;
/** What has been left for less effort is gone back to when there are clearly more, so that it does not flicker. */
const STAYS = 0.85;
/** Above it people jump rather than glide where the page paints by itself: that costs too much for each draw. */
const GLIDERS_MAX = 100_000;
/** A glide of pictures that take longer than this is no motion: people jump instead. */
const GLIDE_PICTURE_MS_MAX = 120;
const SAMPLES = 15;

/** How many people in view take which effort. */
export function effortFor(inView: number, style: DrawStyle, already: Effort): Effort {
  const over = (most: number, yet: boolean) => inView > (yet ? STAYS : 1) * most;
  return {
    apart: over(AT_ONCE_MAX, already.apart),
    squares: over(style === 'shapes' ? SHAPES_MAX : STAMPS_MAX, already.squares),
  };
}

/** What a picture shows; another one is worth painting when any of it differs. */
interface Shown {
  frames: { previous: Frame | undefined; current: Frame } | undefined;
  lookId: number;
  where: Where;
  progress: number;
}

/** For machines without a GPU: the few are stamped at once, the many painted in a worker. */
export class CanvasRenderer implements MapRenderer {
  readonly kind = 'canvas';
  readonly canvas = document.createElement('canvas');
  inView: number | undefined;
  private readonly pen: CanvasRenderingContext2D;
  private readonly people: PeoplePainter;
  private readonly painter: Painter;
  private frames: Shown['frames'];
  private look: Look | undefined;
  private lookId = 0;
  private where: Where | undefined;
  /** Was the last draw one of the page's own? */
  private isHere = false;
  /** What was drawn or asked for last. */
  private last: Shown | undefined;
  private counted: Shown | undefined;
  private picture: { image: ImageBitmap; where: Where } | undefined;
  private shownAt: Where | undefined;
  private fresh = false;
  private paintMs: number[] = [];
  private jumps = false;

  constructor(private readonly options: Pick<RendererOptions, 'field' | 'painter'>) {
    const pen = this.canvas.getContext('2d');
    if (pen === null) throw new Error('no 2D canvas');
    this.pen = pen;
    this.people = new PeoplePainter(pen);
    this.painter = options.painter;
  }

  frame(previous: Frame | undefined, current: Frame): void {
    this.frames = { previous, current };
  }

  view(view: View, size: Size, pixelRatio: number): void {
    const { where } = this;
    if (where?.view === view && where.size === size && where.pixelRatio === pixelRatio) return;
    this.where = { view, size, pixelRatio, field: this.options.field };
  }

  mode(look: Look): void {
    this.look = look;
    this.lookId += 1;
  }

  draw(progress: number): boolean {
    const { look, where, frames } = this;
    if (look === undefined || where === undefined) return false;
    if (frames === undefined || !look.effort.apart || !this.painter.apart)
      return this.drawHere(look, where, progress);
    return this.drawApart(look, where, frames, progress);
  }

  dispose(): void {
    this.picture?.image.close();
    this.picture = undefined;
  }

  /** On the page, at once. */
  private drawHere(look: Look, where: Where, progress: number): boolean {
    const { frames } = this;
    const jumps = (frames?.current.count ?? 0) > GLIDERS_MAX;
    const wanted = this.wanted(where, jumps ? 1 : progress);
    if (this.isHere && !this.isNews(wanted)) return false;
    this.isHere = true;
    this.last = wanted;
    this.inView = undefined;
    this.dispose();
    if (frames === undefined) {
      this.people.fit(where);
      this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    } else this.people.paint({ ...frames, look, lookId: this.lookId, where, progress: wanted.progress });
    return true;
  }

  /** By the worker. Until its picture is there the last one moves along with the view. */
  private drawApart(
    look: Look,
    where: Where,
    frames: NonNullable<Shown['frames']>,
    progress: number,
  ): boolean {
    if (this.isHere) this.last = undefined;
    this.isHere = false;
    const wanted = this.wanted(where, this.jumps ? 1 : progress);
    if (this.painter.idle && this.isNews(wanted)) {
      this.last = wanted;
      const count = this.counted?.frames !== frames || this.counted.where !== where;
      if (count) this.counted = wanted;
      const job = { kind: 'people', ...frames, look, lookId: this.lookId, where, count } as const;
      this.painter.start({ ...job, progress: wanted.progress }, (painted) => this.took(painted, wanted));
    }
    const { picture, fresh } = this;
    if (picture === undefined || (!fresh && this.shownAt === where)) return false;
    this.fresh = false;
    this.show(picture, where);
    return fresh;
  }

  private wanted(where: Where, progress: number): Shown {
    const glides = this.frames?.previous !== undefined;
    return { frames: this.frames, lookId: this.lookId, where, progress: glides ? progress : 1 };
  }

  private isNews({ frames, lookId, where, progress }: Shown): boolean {
    const { last } = this;
    if (last === undefined || last.frames !== frames) return true;
    return last.lookId !== lookId || last.where !== where || last.progress !== progress;
  }

  private took({ picture, inView, ms }: Painted, { where }: Shown): void {
    this.dispose();
    if (this.isHere) {
      picture.close();
      return;
    }
    this.picture = { image: picture, where };
    this.fresh = true;
    if (inView !== undefined) this.inView = inView;
    this.paintMs.push(ms);
    if (this.paintMs.length < SAMPLES) return;
    const median = this.paintMs.sort((a, b) => a - b)[SAMPLES >> 1] as number;
    this.paintMs = [];
    if (median > GLIDE_PICTURE_MS_MAX) this.jumps = true;
    else if (median < GLIDE_PICTURE_MS_MAX / 2) this.jumps = false;
  }

  private show({ image, where: then }: { image: ImageBitmap; where: Where }, now: Where): void {
    const { pen, canvas } = this;
    this.people.fit(now);
    this.shownAt = now;
    pen.globalCompositeOperation = 'copy';
    if (then === now) {
      pen.drawImage(image, 0, 0);
    } else {
      const { scale } = now.view;
      const zoom = scale / then.view.scale;
      const left = now.size.width / 2 + (then.view.x - now.view.x) * scale - (then.size.width / 2) * zoom;
      const top = now.size.height / 2 - (then.view.y - now.view.y) * scale - (then.size.height / 2) * zoom;
      const ratio = now.pixelRatio;
      pen.imageSmoothingEnabled = false;
      pen.clearRect(0, 0, canvas.width, canvas.height);
      pen.drawImage(
        image,
        Math.round(left * ratio),
        Math.round(top * ratio),
        then.size.width * zoom * ratio,
        then.size.height * zoom * ratio,
      );
      pen.imageSmoothingEnabled = true;
    }
    pen.globalCompositeOperation = 'source-over';
  }
}
