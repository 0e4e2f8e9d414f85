import type { Grid, People } from '../live/frame';
import { type Job, withColumns } from './easel';

/** Names of columns that the worker has been given. */
export interface SentPeople {
  count: number;
  xy: number;
  states: number;
  slots: number | undefined;
}
export interface SentGrid extends Omit<Grid, 'packed'> {
  packed: number;
}
interface Column {
  id: number;
  buffer: ArrayBuffer;
  bytes: number;
}

/** A job on its way to the worker, with the columns that it has not had before. */
export interface Order {
  job: Job<SentPeople, SentGrid>;
  columns: Column[];
}

/** Buffers that come back and are written again: new ones cost a page fault for each 4 kB. */
const SPARE_MAX = 8;

/** The page's side: copies columns that the worker does not have. It keeps those of the last job, and no others. */
export class ColumnSender {
  private readonly ids = new WeakMap<ArrayBufferView, number>();
  private held = new Set<number>();
  private named = 0;
  private spare: ArrayBuffer[] = [];

  pack(job: Job): Order {
    const columns: Column[] = [];
    const used = new Set<number>();
    const send = (view: ArrayBufferView) => {
      const id = this.idOf(view);
      if (!used.has(id) && !this.held.has(id)) columns.push(this.copy(id, view));
      used.add(id);
      return id;
    };
    const sent = withColumns(
      job,
      ({ count, xy, states, slots }) => ({
        ...{ count, xy: send(xy), states: send(states) },
        slots: slots === undefined ? undefined : send(slots),
      }),
      (grid) => ({ ...grid, packed: send(grid.packed) }),
    );
    this.held = used;
    return { job: sent, columns };
  }

  /** Takes buffers back. */
  recycle(buffers: ArrayBuffer[]): void {
    this.spare = [...buffers, ...this.spare].slice(0, SPARE_MAX);
  }

  private idOf(view: ArrayBufferView): number {
    const known = this.ids.get(view);
    if (known !== undefined) return known;
    this.named += 1;
    this.ids.set(view, this.named);
    return this.named;
  }

  private copy(id: number, view: ArrayBufferView): Column {
    const bytes = view.byteLength;
    const at = this.spare.findIndex(({ byteLength }) => byteLength >= bytes && byteLength <= 2 * bytes + 64);
    const buffer = at < 0 ? new ArrayBuffer(Math.ceil(bytes / 4) * 4) : (this.spare[at] as ArrayBuffer);
    if (at >= 0) this.spare.splice(at, 1);
    new Uint8Array(buffer).set(new Uint8Array(view.buffer, view.byteOffset, bytes));
    return { id, buffer, bytes };
  }
}

/** The worker's side: columns by their names. */
export class ColumnStore {
  private readonly columns = new Map<number, Column>();
  private readonly grids = new Map<number, Grid>();

  /** The job with its columns, and the buffers that are no longer needed. */
  unpack({ job, columns }: Order): { job: Job; spare: ArrayBuffer[] } {
    for (const column of columns) this.columns.set(column.id, column);
    const used = new Set<number>();
    const bufferOf = (id: number) => {
      used.add(id);
      const column = this.columns.get(id);
      if (column === undefined) throw new Error(`column ${id} never came`);
      return column;
    };
    const whole = withColumns(
      job,
      ({ count, xy, states, slots }): People => ({
        count,
        xy: new Uint16Array(bufferOf(xy).buffer, 0, 2 * count),
        states: new Uint8Array(bufferOf(states).buffer, 0, count),
        ...(slots !== undefined && { slots: new Uint32Array(bufferOf(slots).buffer, 0, count) }),
      }),
      ({ packed, ...rest }): Grid => {
        const { buffer, bytes } = bufferOf(packed);
        const grid = this.grids.get(packed) ?? { ...rest, packed: new Uint8Array(buffer, 0, bytes) };
        this.grids.set(packed, grid);
        return grid;
      },
    );
    return { job: whole, spare: this.drop(used) };
  }

  private drop(used: ReadonlySet<number>): ArrayBuffer[] {
    const old = [...this.columns.values()].filter(({ id }) => !used.has(id));
    for (const { id } of old) {
      this.columns.delete(id);
      this.grids.delete(id);
    }
    return old.map(({ buffer }) => buffer);
  }
}
