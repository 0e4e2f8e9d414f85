import { create } from 'zustand';
import type { LaboratoryInfo, Part, PartState } from '../../api/operator';
import { useHappenings } from '../../ui/happenings';
import { operatorTexts } from '../../ui/texts-operator';
import { arrange, type Way } from './arrange';

/** At a look a second, five minutes; a chart of more says no more. */
const SAMPLES_MAX = 300;

/** How the laboratory was at one look. */
export interface Sample {
  atMs: number;
  lag: number | null;
  rate: number | null;
  /** Seconds. */
  age: number | null;
}

interface History {
  samples: readonly Sample[];
  last: LaboratoryInfo | undefined;
  take(info: LaboratoryInfo): void;
}

/** What was seen of the laboratory since the page was opened, oldest first; what happened is noted apart. */
export const useHistory = create<History>()((set, get) => ({
  samples: [],
  last: undefined,
  take(info) {
    const { last, samples } = get();
    if (last !== undefined && info.now_ms <= last.now_ms) return;
    set({ last: info, samples: [...samples, sampleOf(info)].slice(-SAMPLES_MAX) });
    for (const { words, isFault } of changes(last?.parts, info.parts))
      useHappenings.getState().note(words, info.now_ms, isFault);
  },
}));

/** Lag, rate and age where records enter the store. */
export function sampleOf(info: LaboratoryInfo): Sample {
  const { ways } = arrange(info);
  const known = (value: (way: Way) => number | undefined) =>
    ways.map(value).filter((found): found is number => found !== undefined);
  const lags = known(({ lagRecords }) => lagRecords);
  const into = ways.find(({ to }) => to === 'store') ?? ways.find(({ to }) => to === 'ingest');
  const age = into?.newestAgeMs ?? known(({ newestAgeMs }) => newestAgeMs)[0];
  return {
    atMs: info.now_ms,
    lag: lags.length === 0 ? null : lags.reduce((all, lag) => all + lag, 0),
    rate: into?.recordsPerS ?? null,
    age: age === undefined ? null : age / 1000,
  };
}

const DOWN: ReadonlySet<PartState> = new Set(['stopped', 'waiting', 'refused', 'finished']);

interface Change {
  words: string;
  isFault: boolean;
}

/** What has happened to the parts between two looks, in words. */
export function changes(before: readonly Part[] | undefined, now: readonly Part[]): Change[] {
  const texts = operatorTexts.events;
  return now.flatMap((part): Change[] => {
    const old = before?.find(({ name }) => name === part.name);
    if (old === undefined) return [];
    const isDown = DOWN.has(part.state);
    const wasDown = DOWN.has(old.state);
    if (isDown && !wasDown) return [{ words: texts.wentAway(part.name), isFault: true }];
    if (!isDown && wasDown) return [{ words: texts.cameBack(part.name), isFault: false }];
    // It was away between the two looks.
    if (!isDown && part.restarts > old.restarts) return [{ words: texts.cameBack(part.name), isFault: true }];
    return [];
  });
}
