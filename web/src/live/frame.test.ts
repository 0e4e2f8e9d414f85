import { describe, expect, test } from 'vitest';
// The mock server's writer, so that both sides of the format are in one test.
import { encodeFrame } from '../../mock/frame.mjs';
import { decodeFrame, FrameError, HEADER_BYTES, isPresent } from './frame';

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

function changed(bytes: ArrayBuffer, at: number, value: number): ArrayBuffer {
  new Uint8Array(bytes)[at] = value;
  return bytes;
}
