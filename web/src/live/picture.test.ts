import { expect, test } from 'vitest';
import type { Frame } from './frame';
import { Picture, placeOf } from './picture';

const frame = (moment: number, places: number[], states: number[] = places.map(() => 0), epoch = 1) =>
  ({
    ...{ moment, epoch, count: places.length },
    ...{ xy: Uint16Array.from(places.flatMap((x) => [x, 0])), states: Uint8Array.from(states) },
  }) as Frame;

test('people glide from one frame to the next, and whoever was not there before stands', () => {
  const before = frame(0, [0, 0], [0, 3]);
  const after = frame(1, [100, 100, 100]);
  expect([0, 1, 2].map((slot) => placeOf(before, after, slot, 0.25)?.x)).toEqual([25, 100, 100]);
  expect(placeOf(before, after, 0, 1)?.x).toBe(100);
  expect(placeOf(undefined, frame(1, [7], [3]), 0, 1)).toBeUndefined();
});

test('a glide that is cut short goes on from where people are seen', () => {
  let now = 0;
  const picture = new Picture(() => now);
  picture.show(frame(0, [0]), 0);
  picture.show(frame(1, [100]), 1000);
  now = 500;
  picture.show(frame(2, [200]), 1000);
  expect(picture.previous?.xy[0]).toBe(50);
  expect(picture.progress()).toBe(0);
});

test('another population, the same moment, or no time jump', () => {
  const picture = new Picture(() => 0);
  picture.show(frame(0, [0]), 0);
  picture.show(frame(1, [100], [0], 2), 1000);
  expect([picture.previous, picture.progress()]).toEqual([undefined, 1]);
  picture.show(frame(1, [100], [0], 2), 1000);
  expect(picture.progress()).toBe(1);
});

test('people of a part glide from where the server says they were, also when the window moves meanwhile', () => {
  let now = 0;
  const picture = new Picture(() => now);
  const part = (moment: number, slots: number[], from: number[], to: number[]) => ({
    ...frame(moment, to),
    slots: Uint32Array.from(slots),
    from: Uint16Array.from(from.flatMap((x) => [x, 0])),
  });
  picture.show(part(0, [5], [0], [0]), 0);
  picture.show(part(1, [5], [0], [100]), 1000);
  now = 500;
  picture.show(part(1, [4, 5], [40, 0], [60, 100]), 0);
  const { previous, current } = picture as { previous: Frame; current: Frame };
  expect([0, 1].map((index) => placeOf(previous, current, index, picture.progress())?.x)).toEqual([50, 50]);
});
