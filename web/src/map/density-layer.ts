import type { Grid } from '../live/frame';
import type { MapPalette } from '../ui/palette';
import { CELL_PX, gridPlace } from './density';
import type { Job } from './easel';
import type { Painter } from './painter';
import type { Scene } from './pick';
import type { Size, View } from './view';

/** A glide has so many pictures at most: more of them cannot be told apart. */
const GLIDE_PICTURES = 32;

/** What is to be seen: everything that a picture of a density depends on. */
export interface DensityScene extends Scene {
  palette: MapPalette;
}

type Box = Record<'left' | 'top' | 'width' | 'height', number>;

/** Where a picture lies when it is looked at from a view. */
type Place = (view: View, size: Size) => Box;

/** The density as a canvas of its own, between the ground and the people. */
export class DensityLayer {
  readonly canvas = document.createElement('canvas');
  private readonly pen = this.canvas.getContext('2d');
  private asked: readonly unknown[] = [];
  private picture: { image: ImageBitmap; place: Place } | undefined;
  private place: Place | undefined;

  constructor(private readonly painter: Painter) {}

  /** Shows the newest picture there is, where it belongs, and asks for a newer one. True when it was a new one. */
  draw(scene: DensityScene): boolean {
    this.ask(scene);
    const { picture } = this;
    if (picture !== undefined) this.show(picture.image);
    this.place = picture?.place ?? this.place;
    this.picture = undefined;
    if (this.place !== undefined) this.lay(this.place(scene.view, scene.size));
    return picture !== undefined;
  }

  /** From now on it is shown when there is a newer picture. */
  hide(): void {
    this.canvas.style.visibility = 'hidden';
    this.place = undefined;
    this.asked = [];
  }

  dispose(): void {
    this.picture?.image.close();
  }

  private ask(scene: DensityScene): void {
    if (!this.painter.idle) return;
    const { wanted, job, place } = scene.current.density === undefined ? counted(scene) : cells(scene);
    if (wanted.every((part, at) => part === this.asked[at])) return;
    this.asked = wanted;
    this.painter.start(job, ({ picture }) => {
      this.picture?.image.close();
      this.picture = { image: picture, place };
    });
  }

  private show(image: ImageBitmap): void {
    const { canvas, pen } = this;
    if (canvas.width !== image.width) canvas.width = image.width;
    if (canvas.height !== image.height) canvas.height = image.height;
    if (pen !== null) {
      pen.globalCompositeOperation = 'copy';
      pen.drawImage(image, 0, 0);
    }
    image.close();
  }

  private lay(box: Box): void {
    const { style } = this.canvas;
    style.left = `${box.left}px`;
    style.top = `${box.top}px`;
    style.width = `${box.width}px`;
    style.height = `${box.height}px`;
    style.visibility = 'visible';
  }
}

interface Wish {
  /** The picture is another one when any of these is. */
  wanted: readonly unknown[];
  job: Job;
  place: Place;
}

/** The cells that the server has counted. */
function cells({ previous, current, progress, field, palette, shown }: DensityScene): Wish {
  const grid = current.density as Grid;
  const before = previous?.density === grid ? undefined : previous?.density;
  const from = progress < 1 ? before : undefined;
  const step = from === undefined ? 1 : Math.round(progress * GLIDE_PICTURES) / GLIDE_PICTURES;
  return {
    wanted: ['cells', grid, from, step, palette, shown],
    job: { kind: 'cells', grid, from, progress: step, palette, shown },
    place: (view, size) => gridPlace(grid, view, size, field),
  };
}

/** Everybody in the frame, counted into cells of the map. */
function counted({ current, view: then, size: there, field, palette, shown }: DensityScene): Wish {
  const people = current;
  // Cells are whole; the map's last column and row may be cut.
  const side = (px: number) => Math.ceil(px / CELL_PX) * CELL_PX;
  return {
    wanted: ['counted', current.xy, then, there, palette, shown],
    job: { kind: 'counted', people, view: then, size: there, field, palette, shown },
    place: (view, size) => {
      const zoom = view.scale / then.scale;
      return {
        left: size.width / 2 + (then.x - view.x) * view.scale - (there.width / 2) * zoom,
        top: size.height / 2 - (then.y - view.y) * view.scale - (there.height / 2) * zoom,
        width: side(there.width) * zoom,
        height: side(there.height) * zoom,
      };
    },
  };
}
