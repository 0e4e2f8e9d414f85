import { expect, test } from 'vitest';
import type { LaboratoryInfo, Part } from '../../api/operator';
import { arrange } from './arrange';
import { changes, sampleOf } from './history';

const part = (name: string, kind: Part['kind'], more: Partial<Part> = {}): Part => ({
  ...{ name, kind, state: 'running', actions: ['kill'], restarts: 0 },
  ...more,
});
const info: LaboratoryInfo = {
  now_ms: 10_000,
  parts: [
    part('ingest', 'ingest'),
    part('devices', 'devices'),
    part('devices-2', 'devices'),
    part('broker', 'broker'),
  ],
  flows: [
    { from: 'devices', to: 'broker', records_per_s: 3 },
    { from: 'devices', to: 'broker', records_per_s: 4 },
    { from: 'broker', to: 'ingest', records_per_s: 7, lag_records: 20 },
    { from: 'ingest', to: 'store', records_per_s: 6, newest_record_ms: 8500 },
  ],
  runs: [],
};

test('parts stand in the order of a record’s way, and what has no process but a flow stands there too', () => {
  const { stations } = arrange(info);
  expect(stations.map(({ kind, parts }) => [kind, parts.length])).toEqual([
    ['devices', 2],
    ['broker', 1],
    ['ingest', 1],
    ['store', 0],
  ]);
});

test('flows between the same stations are one, and what nobody knows is not zero', () => {
  const { ways } = arrange(info);
  expect(ways[0]).toEqual({
    ...{ from: 'devices', to: 'broker', recordsPerS: 7 },
    ...{ bytesPerS: undefined, lagRecords: undefined, newestAgeMs: undefined },
  });
  expect(ways[2]).toMatchObject({ recordsPerS: 6, newestAgeMs: 1500 });
});

test('a look is lag, rate and age where records enter the store', () => {
  expect(sampleOf(info)).toEqual({ atMs: 10_000, lag: 20, rate: 6, age: 1.5 });
  expect(sampleOf({ ...info, flows: [] })).toEqual({ atMs: 10_000, lag: null, rate: null, age: null });
});

test('who went away and who came back is told, once', () => {
  const words = (...looks: [Part[] | undefined, Part[]]) => changes(...looks).map((change) => change.words);
  const before = [part('broker', 'broker'), part('ingest', 'ingest', { state: 'stopped' })];
  const after = [part('broker', 'broker', { restarts: 1 }), part('ingest', 'ingest')];
  expect(words(before, after)).toEqual(['broker came back', 'ingest came back']);
  const stopped = [part('broker', 'broker', { restarts: 1, state: 'stopped' })];
  expect(changes(after, stopped)).toEqual([{ words: 'broker went away', isFault: true }]);
  expect(words(undefined, after)).toEqual([]);
  expect(words(after, after)).toEqual([]);
});
