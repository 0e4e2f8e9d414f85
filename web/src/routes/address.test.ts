import { expect, test } from 'vitest';
import { type Address, readAddress, writeAddress } from './address';

const run = '0ea3a5a2-c8a3-1fa5-ad66-f991b6289294';

test('an address that was written is read as it was', () => {
  const address = {
    page: 'runs',
    compare: [run, run],
    run,
    moment: 42,
    speed: 5,
    person: run,
    view: { x: 12.5, y: 50, scale: 7.25 },
    realism: true,
    shapes: true,
    theme: 'dark',
  } satisfies Address;
  expect(readAddress(writeAddress(address, ''))).toEqual(address);
});

test('live has no moment in its address, and what is usual is left out', () => {
  const written = writeAddress({ ...readAddress(''), run, speed: 1 }, '?moment=3&renderer=canvas');
  expect(written).toBe(`?renderer=canvas&run=${run}`);
});

test('what is not understood is left out', () => {
  expect(readAddress('?page=kitchen&run=x&moment=-1&speed=0&person=<b>&view=1,2&theme=pink')).toEqual(
    readAddress(''),
  );
});
