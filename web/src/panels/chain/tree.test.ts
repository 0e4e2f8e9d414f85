import { expect, test } from 'vitest';
import type { Infection } from '../../api/client';
import { type Case, chainFrom, rowsOf, SHOWN_MAX } from './tree';

const infection = (infector: string | undefined, infectee: string, time_ms: number): Infection => ({
  ...{ infectee, time_ms, x: 0, y: 0 },
  ...(infector !== undefined && { infector }),
});
const written = ({ id, children, hidden }: Case): string =>
  `${id}${children.length > 0 ? `(${children.map(written).join(' ')})` : ''}${hidden > 0 ? `+${hidden}` : ''}`;

test('a chain holds whom somebody infected, and whom those infected', () => {
  const all = [
    infection(undefined, 'a', 0),
    infection('a', 'b', 1),
    infection('b', 'c', 2),
    infection('x', 'y', 2),
    infection('a', 'd', 3),
  ];
  expect(written(chainFrom('a', all))).toBe('a(b(c) d)');
  expect(written(chainFrom('b', all))).toBe('b(c)');
  expect(written(chainFrom('c', all))).toBe('c');
});

test('people who infect each other in turn end the chain, each infection once', () => {
  const all = [
    infection(undefined, 'a', 0),
    infection('a', 'b', 1),
    infection('b', 'a', 5),
    infection('a', 'b', 9),
  ];
  expect(written(chainFrom('b', all))).toBe('b(a(b))');
});

test('a chain too large to read is cut and says how much is missing', () => {
  const all = Array.from({ length: SHOWN_MAX + 20 }, (_, i) => infection('a', `p${i}`, i));
  const chain = chainFrom('a', all);
  expect(chain.children).toHaveLength(SHOWN_MAX - 1);
  expect(chain.hidden).toBe(21);
});

test('each case has a row of its own, each branch under its root', () => {
  const chain = chainFrom('a', [infection('a', 'b', 1), infection('b', 'c', 2), infection('a', 'd', 3)]);
  const rows = rowsOf(chain).map(({ of, row, parent }) => [of.id, row, parent?.of.id]);
  expect(rows).toEqual([
    ['a', 0, undefined],
    ['b', 1, 'a'],
    ['c', 2, 'b'],
    ['d', 3, 'a'],
  ]);
});
