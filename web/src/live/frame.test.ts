import { describe, expect, test } from 'vitest';
// The mock server's writer, so that both sides of the format are in one test.
import { encodeFrame, encodeWindow } from '../../mock/frame.mjs';
import {
  decodeFrame,
  FrameError,
  type Grid,
  HEADER_BYTES,
  indexOf,
  isPresent,
  slotAt,
  unpackGrid,
} from './frame';

const figures = { total: 3, zombies: 1, deaths: 1, dead_zombies: 1, immune: 0 };
const picture = {
  moment: 7,
  timeMs: 1_606_925_945_123,
  epoch: 2,
  latest: 9,
  figures,
  xy: Uint16Array.of(0, 65535, 100, 200, 5, 6, 0, 0),
  states: Uint8Array.of(0, 1, 2 | 8, 3),
};
const message = (options = {}) => encodeFrame(picture, options).buffer as ArrayBuffer;

describe('a frame', () => {
  test('comes out as it was written', () => {
    const frame = decodeFrame(message({ seq: 4, request: 12 }));
    expect(frame).toMatchObject({
      moment: 7,
      timeMs: 1_606_925_945_123,
      epoch: 2,
      latest: 9,
      seq: 4,
      request: 12,
      count: 4,
      figures,
    });
    expect([...frame.xy]).toEqual([...picture.xy]);
    expect([...frame.states]).toEqual([...picture.states]);
  });

  test('is a view on the message and not a copy', () => {
    const bytes = message();
    expect(decodeFrame(bytes).xy.buffer).toBe(bytes);
  });

  test('that was pushed has no request number, whatever its header holds', () => {
    const bytes = message({ request: 12 });
    new DataView(bytes).setUint16(6, 0, true);
    expect(decodeFrame(bytes).request).toBe(0);
  });

  test('knows who has not been seen yet', () => {
    const frame = decodeFrame(message());
    expect([0, 1, 2, 3, 4].map((slot) => isPresent(frame, slot))).toEqual([true, true, true, false, false]);
  });

  test.each([
    ['is shorter than its header', (b: ArrayBuffer) => b.slice(0, HEADER_BYTES - 1)],
    ['is shorter than its people', (b: ArrayBuffer) => b.slice(0, HEADER_BYTES + 5)],
    ['has another magic number', (b: ArrayBuffer) => changed(b, 0, 0)],
    ['has a kind that is not known', (b: ArrayBuffer) => changed(b, 4, 9)],
    ['has a version that is not known', (b: ArrayBuffer) => changed(b, 5, 2)],
  ])('is refused when it %s', (_, spoil) => {
    expect(() => decodeFrame(spoil(message()))).toThrow(FrameError);
  });
});

const before = { ...picture, moment: 6, xy: Uint16Array.of(1, 65535, 90, 200, 5, 6, 0, 0) };
const window = { area: [0, 0, 65535, 1000], levels: [3, 2], people: 5, keep: [0] };
const windowMessage = (change = {}) =>
  encodeWindow(picture, { ...window, ...change }, before, { seq: 3 }).buffer as ArrayBuffer;

describe('what a window shows', () => {
  test('are those in it and those kept an eye on, with where they come from', () => {
    const frame = decodeFrame(windowMessage());
    expect([...(frame.slots ?? [])]).toEqual([0, 1, 2]);
    expect([...frame.xy]).toEqual([0, 65535, 100, 200, 5, 6]);
    expect([...(frame.from ?? [])]).toEqual([1, 65535, 90, 200, 5, 6]);
    expect([...frame.states]).toEqual([0, 1, 2 | 8]);
    expect(frame.figures.total).toBe(3);
  });

  test('has a slot at an index and an index for a slot', () => {
    const frame = decodeFrame(windowMessage({ area: [0, 0, 65535, 300], keep: [] }));
    expect([slotAt(frame, 0), slotAt(frame, 1)]).toEqual([1, 2]);
    expect([0, 1, 2, 3].map((slot) => indexOf(frame, slot))).toEqual([undefined, 0, 1, undefined]);
    expect([0, 1].map((slot) => isPresent(frame, slot))).toEqual([false, true]);
  });

  test('is a density where there are too many', async () => {
    const frame = decodeFrame(windowMessage({ people: 1 }));
    expect([...(frame.slots ?? [])]).toEqual([0]);
    if (frame.density === undefined) throw new Error('no density');
    const { packed, ...grid } = frame.density;
    const counts = await unpackGrid({ ...grid, packed });
    expect(grid).toEqual({ levels: [3, 2], column: 0, row: 0, columns: 8, rows: 1, inView: 2 });
    const seen = [...counts].flatMap((count, at) => (count > 0 ? [[at, count]] : []));
    expect(seen).toEqual([
      [8, 1],
      [16, 1],
    ]);
  });

  test('is refused when its cells are of another size', async () => {
    const bytes = windowMessage({ people: 1 });
    const at = HEADER_BYTES + 12 + 4;
    const { density } = decodeFrame(changed(bytes, at + 12, 9));
    await expect(unpackGrid(density as Grid)).rejects.toThrow(FrameError);
  });
});

function changed(bytes: ArrayBuffer, at: number, value: number): ArrayBuffer {
  new Uint8Array(bytes)[at] = value;
  return bytes;
}
