import { expect, test } from 'vitest';
import type { Run } from '../../api/client';
import type { LaboratoryRun } from '../../api/operator';
import { stateOf } from './run-facts';

const run = { id: 'a', last_ms: 100_000 } as Run;

test('a run is live as long as something comes from it', () => {
  expect(stateOf(run, undefined, 101_000)).toBe('live');
  expect(stateOf(run, [], 200_000)).toBe('over');
});

test('the laboratory knows better', () => {
  const known = (state: string) => [{ run: 'a', state } as LaboratoryRun];
  expect(stateOf(run, known('running'), 200_000)).toBe('live');
  expect(stateOf(run, known('ended'), 101_000)).toBe('over');
  expect(stateOf(run, known('failed'), 101_000)).toBe('failed');
});
