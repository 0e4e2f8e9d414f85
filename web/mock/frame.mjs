// Writes the frames of docs/protocol.md: everybody, or what a window shows.
import { deflateSync } from 'node:zlib';

const HEADER = 64;

/** @param {{moment:number,timeMs:number,epoch:number,figures:object,latest:number,xy:Uint16Array,states:Uint8Array}} picture */
export function encodeFrame(picture, { seq = 1, request = 0 } = {}) {
  const count = picture.states.length;
  const bytes = new Uint8Array(HEADER + 4 * count + Math.ceil(count / 4) * 4);
  writeHeader(bytes, 0, count, picture, { seq, request });
  bytes.set(new Uint8Array(picture.xy.buffer, picture.xy.byteOffset, 4 * count), HEADER);
  bytes.set(picture.states, HEADER + 4 * count);
  return bytes;
}

/** The same columns under another header. */
export function withNumbers(bytes, picture, { seq, request }) {
  const head = new DataView(bytes.buffer, bytes.byteOffset);
  writeHeader(bytes, bytes[4], head.getUint32(24, true), picture, { seq, request });
  return bytes;
}

const ABSENT = 3;

/** What a window shows of a picture: the people in it, or a density when they are too many. `before` is another moment's picture. */
export function encodeWindow(picture, window, before, { seq = 1, request = 0 } = {}) {
  const [west, south, east, north] = window.area;
  const { xy, states } = picture;
  const keep = new Set(window.keep ?? []);
  const inside = new Uint32Array(states.length);
  let inView = 0;
  for (let slot = 0; slot < states.length; slot += 1) {
    if ((states[slot] & 3) === ABSENT) continue;
    const x = xy[2 * slot];
    const y = xy[2 * slot + 1];
    if (x >= west && x <= east && y >= south && y <= north) inside[inView++] = slot;
  }
  const seen = inside.subarray(0, inView);
  const crowded = inView > window.people;
  const shown = new Set(crowded ? keep : [...seen, ...keep]);
  const slots = [...shown].filter((slot) => slot < states.length).sort((a, b) => a - b);
  const count = slots.length;
  const density = crowded ? encodeDensity(picture, window, seen) : new Uint8Array(0);
  const end = HEADER + 12 * count + Math.ceil(count / 4) * 4;
  const bytes = new Uint8Array(end + density.length);
  writeHeader(bytes, crowded ? 2 : 1, count, picture, { seq, request });
  new Uint32Array(bytes.buffer, HEADER, count).set(slots);
  const was = (slot) =>
    before && slot < before.states.length && (before.states[slot] & 3) !== ABSENT ? before.xy : xy;
  for (const [column, of] of [
    [1, () => xy],
    [2, was],
  ]) {
    const places = new Uint16Array(bytes.buffer, HEADER + 4 * count * column, 2 * count);
    places.set(slots.flatMap((slot) => [of(slot)[2 * slot], of(slot)[2 * slot + 1]]));
  }
  bytes.set(
    slots.map((slot) => states[slot]),
    HEADER + 12 * count,
  );
  bytes.set(density, end);
  return bytes;
}

function encodeDensity({ xy, states }, { area, levels }, inside) {
  const cell = (at, level) => at >> (16 - level);
  const [column, row] = [cell(area[0], levels[0]), cell(area[1], levels[1])];
  const columns = cell(area[2], levels[0]) - column + 1;
  const rows = cell(area[3], levels[1]) - row + 1;
  const counts = new Uint16Array(4 * columns * rows);
  for (const slot of inside) {
    const plane = { 0: (states[slot] & 4) !== 0 ? 3 : 0, 1: 1, 2: 2 }[states[slot] & 3];
    const at = (cell(xy[2 * slot + 1], levels[1]) - row) * columns + cell(xy[2 * slot], levels[0]) - column;
    counts[plane * columns * rows + at] += 1;
  }
  const packed = deflateSync(new Uint8Array(counts.buffer));
  const bytes = new Uint8Array(20 + Math.ceil(packed.length / 4) * 4);
  const head = new DataView(bytes.buffer);
  head.setUint32(0, inside.length, true);
  bytes.set(levels, 4);
  [column, row, columns, rows].forEach((number, index) => {
    head.setUint16(8 + 2 * index, number, true);
  });
  head.setUint32(16, packed.length, true);
  bytes.set(packed, 20);
  return bytes;
}

function writeHeader(bytes, kind, count, picture, { seq, request }) {
  const head = new DataView(bytes.buffer);
  bytes.set([0x43, 0x5a, 0x46, 0x31, kind, 1]);
  head.setUint16(6, request > 0 ? 1 : 0, true);
  head.setBigUint64(8, BigInt(picture.moment), true);
  head.setBigInt64(16, BigInt(Math.round(picture.timeMs)), true);
  const { total, zombies, deaths, dead_zombies, immune } = picture.figures;
  const words = [
    count,
    request,
    picture.epoch,
    total,
    zombies,
    deaths,
    dead_zombies,
    immune,
    seq,
    picture.latest,
  ];
  words.forEach((word, index) => {
    head.setUint32(24 + 4 * index, word, true);
  });
}
