import { expect, test } from 'vitest';
import type { Infection } from './client';
import { follow } from './follow';

const infection = (infector: string, infectee: string, time_ms: number): Infection => ({
  ...{ infector, infectee, time_ms, x: 0, y: 0 },
});
const asking = (all: Infection[]) => {
  const asked: string[] = [];
  const by = async (infector: string) => {
    asked.push(infector);
    return all.filter((one) => one.infector === infector);
  };
  return { by, asked };
};

test('a chain is followed from infector to infectee, oldest first, and nobody else is asked for', async () => {
  const all = [
    infection('a', 'd', 3),
    infection('a', 'b', 1),
    infection('b', 'c', 2),
    infection('x', 'y', 2),
  ];
  const { by, asked } = asking(all);
  expect((await follow('a', by, 500)).map(({ infectee }) => infectee)).toEqual(['b', 'c', 'd']);
  expect(asked.sort()).toEqual(['a', 'b', 'c', 'd']);
});

test('people who infect each other in turn are asked for once each', async () => {
  const { by, asked } = asking([infection('a', 'b', 1), infection('b', 'a', 5), infection('a', 'b', 9)]);
  expect(await follow('a', by, 500)).toHaveLength(3);
  expect(asked).toEqual(['a', 'b']);
});

test('a chain of too many cases is not followed to its end', async () => {
  const all = Array.from({ length: 4000 }, (_, i) => infection(`p${i}`, `p${i + 1}`, i));
  const { by, asked } = asking(all);
  expect((await follow('p0', by, 500)).length).toBeLessThanOrEqual(506);
  expect(asked.length).toBeLessThanOrEqual(506);
});
