import { expect, test } from 'vitest';
import type { Run } from '../../api/client';
import { stateOf } from './run-facts';

const run = { id: 'a', last_ms: 100_000 } as Run;

test('a run is live as long as something comes from it', () => {
  expect(stateOf(run, undefined, 101_000)).toBe('live');
  expect(stateOf(run, [], 200_000)).toBe('over');
});

test('the laboratory knows better', () => {
  const known = (state: string) => [{ run: 'a', part: 'devices', kind: 'nodes' as const, people: 1, state }];
  expect(stateOf(run, known('running'), 200_000)).toBe('live');
  expect(stateOf(run, known('paused'), 101_000)).toBe('paused');
  expect(stateOf(run, known('stopped'), 101_000)).toBe('over');
});
