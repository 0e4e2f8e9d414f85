import { type Grid, type People, unpackGrid } from '../live/frame';
import type { Category, MapPalette } from '../ui/palette';
import { countDensity, type Density, gridDensity, mixDensity, paintDensity } from './density';
import { PeoplePainter, type PeopleScene } from './people-painter';
import { countInView } from './pick';
import type { Field, Size, View } from './view';

/** What the painting of a density needs besides its numbers. */
interface Colours {
  palette: MapPalette;
  shown: ReadonlySet<Category>;
}

/** A picture to paint; `P` are columns of people and `G` cells, or whatever stands for them on the way to the worker. */
export type Job<P = People, G = Grid> =
  | ({ kind: 'people'; count: boolean; previous: P | undefined; current: P } & Omit<
      PeopleScene,
      'previous' | 'current'
    >)
  | ({ kind: 'cells'; from: G | undefined; grid: G; progress: number } & Colours)
  | ({ kind: 'counted'; people: P; view: View; size: Size; field: Field } & Colours);

export interface Painted {
  picture: ImageBitmap;
  /** How many people the view shows, when that was asked for. */
  inView: number | undefined;
  /** How long it took, ms. */
  ms: number;
}

/** The same job with other columns and cells. */
export function withColumns<P, G, Q, H>(
  job: Job<P, G>,
  people: (columns: P) => Q,
  cells: (grid: G) => H,
): Job<Q, H> {
  if (job.kind === 'counted') return { ...job, people: people(job.people) };
  if (job.kind === 'cells')
    return { ...job, grid: cells(job.grid), from: job.from === undefined ? undefined : cells(job.from) };
  const { previous } = job;
  return {
    ...job,
    current: people(job.current),
    previous: previous === undefined ? undefined : people(previous),
  };
}

/** Paints what it is asked for, on a canvas that nobody sees: in the worker, or on the page where there is none. */
export class Easel {
  private readonly people = new PeoplePainter(penOf(new OffscreenCanvas(1, 1)));
  private readonly small = penOf(new OffscreenCanvas(1, 1));
  private readonly unpacked = new WeakMap<Grid, Promise<Density>>();
  private counted: ReturnType<typeof countDensity> | undefined;
  private mixed: Density | undefined;

  async paint(job: Job): Promise<Painted> {
    const began = performance.now();
    if (job.kind === 'people') {
      this.people.paint(job);
      const inView = job.count ? countInView({ ...job.where, current: job.current }) : undefined;
      return {
        picture: this.people.pen.canvas.transferToImageBitmap(),
        inView,
        ms: performance.now() - began,
      };
    }
    const density = job.kind === 'cells' ? await this.cells(job) : this.count(job);
    const image = paintDensity(density, job.palette, job.shown);
    const { canvas } = this.small;
    if (canvas.width !== image.width) canvas.width = image.width;
    if (canvas.height !== image.height) canvas.height = image.height;
    this.small.putImageData(image, 0, 0);
    return { picture: canvas.transferToImageBitmap(), inView: undefined, ms: performance.now() - began };
  }

  private count({ people, view, size, field }: Job & { kind: 'counted' }): Density {
    this.counted = countDensity(people, view, size, field, this.counted);
    return this.counted;
  }

  private async cells({ grid, from, progress }: Job & { kind: 'cells' }): Promise<Density> {
    const there = await this.unpack(grid);
    if (from === undefined || progress >= 1) return there;
    this.mixed = mixDensity(await this.unpack(from), there, progress, this.mixed);
    return this.mixed;
  }

  private unpack(grid: Grid): Promise<Density> {
    const known = this.unpacked.get(grid);
    if (known !== undefined) return known;
    const density = unpackGrid(grid).then((counts) => gridDensity(grid, counts));
    this.unpacked.set(grid, density);
    return density;
  }
}

function penOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  // What is painted here is handed on as a picture: a canvas of the processor saves the way to a GPU and back.
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  if (pen === null) throw new Error('no 2D canvas');
  return pen;
}
