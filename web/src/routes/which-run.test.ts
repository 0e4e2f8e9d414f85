import { expect, test } from 'vitest';
import type { Run } from '../api/client';
import { choose, type Visit } from './which-run';

const run = (id: string, moments = 1) => ({ id, moments }) as Run;
const list = (defaultRun: string | undefined, ids: string[], hasMore = false) => ({
  runs: ids.map((id) => run(id)),
  defaultRun,
  hasMore,
});
const visit = (of: Partial<Visit>): Visit => ({
  shown: undefined,
  defaultBefore: undefined,
  isLive: true,
  ...of,
});

test('a visitor who asks for no run gets the default, which need not be the newest', () => {
  expect(choose(list('town', ['stranger', 'town']), visit({}))).toEqual({ show: 'town' });
  expect(choose(list(undefined, []), visit({}))).toBeUndefined();
});

test('a run that is not the default takes nothing over', () => {
  const before = visit({ shown: 'town', defaultBefore: 'town' });
  expect(choose(list('town', ['stranger', 'town']), before)).toBeUndefined();
});

test('who follows the default live goes along; others are offered the new one', () => {
  const next = list('next', ['next', 'town']);
  expect(choose(next, visit({ shown: 'town', defaultBefore: 'town' }))).toEqual({ show: 'next' });
  expect(choose(next, visit({ shown: 'town', defaultBefore: 'town', isLive: false }))).toEqual({
    offer: 'next',
  });
  expect(choose(next, visit({ shown: 'next', defaultBefore: 'town' }))).toBeUndefined();
});

test('a deleted run gives way to the default; one beyond the list stays', () => {
  const gone = visit({ shown: 'old', defaultBefore: 'town' });
  expect(choose(list('town', ['town']), gone)).toEqual({ show: 'town' });
  expect(choose(list('town', ['town'], true), gone)).toBeUndefined();
});
