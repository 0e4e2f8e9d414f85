/**
 * The binary frame: everybody at one moment, or those in a window of the field, little endian, a header of
 * 64 bytes and then columns. Decoding makes views on the message and touches no person.
 */

export const MAGIC = 0x31465a43; // 'CZF1'
export const HEADER_BYTES = 64;
const KIND = { everybody: 0, part: 1, density: 2 } as const;
/** Bytes of a density's numbers, before its packed cells. */
const GRID_BYTES = 20;
const VERSION = 1;
const FLAG_ANSWERS_SEEK = 1;

/** The low two bits of a state byte: what is drawn. */
export const DRAWN = { safe: 0, infected: 1, dead: 2, absent: 3 } as const;
export const DRAWN_MASK = 3;
export const IMMUNE_BIT = 4;
export const DIED_INFECTED_BIT = 8;

/** The paper's four figures, and the immune. */
export interface Figures {
  total: number;
  zombies: number;
  deaths: number;
  dead_zombies: number;
  immune: number;
}

/** The columns of some people. */
export interface People {
  /** How many people are in the columns. */
  count: number;
  /** Two numbers a person, 0 to 65535 across the field. */
  xy: Uint16Array;
  /** A state byte a person. */
  states: Uint8Array;
  /** Whose columns these are, ascending; undefined: everybody, the index is the slot. */
  slots?: Uint32Array;
}

export interface Frame extends People {
  moment: number;
  /** Milliseconds since the Unix epoch. */
  timeMs: number;
  /** Slots are stable as long as the epoch is the same. */
  epoch: number;
  seq: number;
  /** The latest moment the server knew when it wrote this. */
  latest: number;
  /** The number of the seek that this answers; 0 when the server pushed it. */
  request: number;
  figures: Figures;
  /** Where they were in the frame before; only in a part. */
  from?: Uint16Array;
  /** How many there are in each cell, where they are too many for columns. */
  density?: Grid;
}

/** The planes of a density, in their order. */
export const PLANE = { safe: 0, infected: 1, dead: 2, immune: 3 } as const;

/** Cells of the field, which has 2^level of them on each axis. */
export interface Grid {
  levels: readonly [x: number, y: number];
  /** The south-west cell. */
  column: number;
  row: number;
  columns: number;
  rows: number;
  /** People in all of these cells. */
  inView: number;
  /** The cells as they came; `unpackGrid` reads them. */
  packed: Uint8Array;
}

/** The message is no frame that this page can read. */
export class FrameError extends Error {
  override name = 'FrameError';
}

/** Reads a message; the cells of a density stay packed. */
export function decodeFrame(message: ArrayBuffer): Frame {
  if (message.byteLength < HEADER_BYTES) throw new FrameError(`frame of ${message.byteLength} bytes`);
  const head = new DataView(message);
  if (head.getUint32(0, true) !== MAGIC) throw new FrameError('not a frame');
  if (head.getUint8(5) !== VERSION) throw new FrameError(`frame version ${head.getUint8(5)}`);
  const kind = head.getUint8(4);
  if (kind > KIND.density) throw new FrameError(`frame kind ${kind}`);
  const count = head.getUint32(24, true);
  const isPart = kind !== KIND.everybody;
  const end = HEADER_BYTES + (isPart ? 12 : 4) * count + Math.ceil(count / 4) * 4;
  if (message.byteLength < end) throw new FrameError(`frame too short for ${count} people`);
  const column = (index: number) => HEADER_BYTES + 4 * count * index;
  const frame = {
    ...headerOf(head),
    count,
    xy: new Uint16Array(message, column(isPart ? 1 : 0), 2 * count),
    states: new Uint8Array(message, column(isPart ? 3 : 1), count),
  };
  if (!isPart) return frame;
  const part = {
    ...frame,
    slots: new Uint32Array(message, column(0), count),
    from: new Uint16Array(message, column(2), 2 * count),
  };
  return kind === KIND.part ? part : withDensity(part, head, end);
}

function headerOf(head: DataView) {
  const word = (offset: number) => head.getUint32(offset, true);
  return {
    moment: Number(head.getBigUint64(8, true)),
    timeMs: Number(head.getBigInt64(16, true)),
    request: (head.getUint16(6, true) & FLAG_ANSWERS_SEEK) === 0 ? 0 : word(28),
    epoch: word(32),
    figures: {
      total: word(36),
      zombies: word(40),
      deaths: word(44),
      dead_zombies: word(48),
      immune: word(52),
    },
    seq: word(56),
    latest: word(60),
  };
}

function withDensity(frame: Frame, head: DataView, at: number): Frame {
  if (head.byteLength < at + GRID_BYTES) throw new FrameError('density without its numbers');
  const half = (offset: number) => head.getUint16(at + offset, true);
  const packedBytes = head.getUint32(at + 16, true);
  if (head.byteLength < at + GRID_BYTES + packedBytes) throw new FrameError('density that is cut off');
  const density = {
    levels: [head.getUint8(at + 4), head.getUint8(at + 5)] as const,
    ...{ column: half(8), row: half(10), columns: half(12), rows: half(14) },
    inView: head.getUint32(at, true),
    packed: new Uint8Array(head.buffer as ArrayBuffer, at + GRID_BYTES, packedBytes),
  };
  return { ...frame, density };
}

/** How many people are in each cell: plane after plane, each row by row from the south-west. */
export async function unpackGrid({
  columns,
  rows,
  packed,
}: Pick<Grid, 'columns' | 'rows' | 'packed'>): Promise<Uint16Array> {
  const stream = new Blob([packed as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('deflate'));
  const counts = new Uint16Array(await new Response(stream).arrayBuffer());
  if (counts.length !== 4 * columns * rows) throw new FrameError('density of another size than it says');
  return counts;
}

/** Do two densities have the same cells? */
export function sameCells(a: Grid, b: Grid): boolean {
  const cells = ({ levels, column, row, columns, rows }: Grid) =>
    [...levels, column, row, columns, rows].join();
  return cells(a) === cells(b);
}

/** Where in the columns a slot is; undefined when it is not among them. */
export function indexOf({ slots, count }: Pick<People, 'slots' | 'count'>, slot: number): number | undefined {
  if (slots === undefined) return slot < count ? slot : undefined;
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((slots[middle] as number) < slot) low = middle + 1;
    else high = middle;
  }
  return slots[low] === slot ? low : undefined;
}

/** Whose columns stand at an index. */
export function slotAt({ slots }: Pick<People, 'slots'>, index: number): number {
  return slots === undefined ? index : (slots[index] as number);
}

/** Is this slot somebody who can be seen at this moment? */
export function isPresent(frame: Frame, slot: number): boolean {
  const index = indexOf(frame, slot);
  const state = index === undefined ? undefined : frame.states[index];
  return state !== undefined && (state & DRAWN_MASK) !== DRAWN.absent;
}
