/**
 * The binary frame: everybody at one moment, little endian, a header of 64 bytes and then columns.
 * Decoding makes views on the message and touches no person.
 */

export const MAGIC = 0x31465a43; // 'CZF1'
export const HEADER_BYTES = 64;
const KIND_KEY = 0;
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

export interface Frame {
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
  count: number;
  figures: Figures;
  /** Two numbers a slot, 0 to 65535 across the field. */
  xy: Uint16Array;
  /** A state byte a slot. */
  states: Uint8Array;
}

/** The message is no frame that this page can read. */
export class FrameError extends Error {
  override name = 'FrameError';
}

export function decodeFrame(message: ArrayBuffer): Frame {
  if (message.byteLength < HEADER_BYTES) throw new FrameError(`frame of ${message.byteLength} bytes`);
  const head = new DataView(message);
  if (head.getUint32(0, true) !== MAGIC) throw new FrameError('not a frame');
  if (head.getUint8(5) !== VERSION) throw new FrameError(`frame version ${head.getUint8(5)}`);
  if (head.getUint8(4) !== KIND_KEY) throw new FrameError(`frame kind ${head.getUint8(4)}`);
  const count = head.getUint32(24, true);
  if (message.byteLength < HEADER_BYTES + 5 * count)
    throw new FrameError(`frame too short for ${count} people`);
  const word = (offset: number) => head.getUint32(offset, true);
  return {
    moment: Number(head.getBigUint64(8, true)),
    timeMs: Number(head.getBigInt64(16, true)),
    count,
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
    xy: new Uint16Array(message, HEADER_BYTES, 2 * count),
    states: new Uint8Array(message, HEADER_BYTES + 4 * count, count),
  };
}

/** Is this slot somebody who can be seen at this moment? */
export function isPresent(frame: Frame, slot: number): boolean {
  const state = frame.states[slot];
  return state !== undefined && (state & DRAWN_MASK) !== DRAWN.absent;
}
