import { create } from 'zustand';
import type { LaboratoryInfo, Part, PartState } from '../../api/operator';
import { operatorTexts } from '../../ui/texts-operator';
import { arrange, type Way } from './arrange';

/** At a look a second, five minutes; a chart of more says no more. */
const SAMPLES_MAX = 300;
const EVENTS_MAX = 100;

/** How the laboratory was at one look. */
export interface Sample {
  atMs: number;
  lag: number | null;
  rate: number | null;
  /** Seconds. */
  age: number | null;
}

export interface Happening {
  id: number;
  atMs: number;
  words: string;
}

interface History {
  samples: readonly Sample[];
  events: readonly Happening[];
  last: LaboratoryInfo | undefined;
  take(info: LaboratoryInfo): void;
  /** Notes what the operator did, now. */
  note(words: string): void;
}

/** What was seen of the laboratory since the page was opened; newest events first, oldest samples first. */
export const useHistory = create<History>()((set, get) => ({
  samples: [],
  events: [],
  last: undefined,
  take(info) {
    const { last, samples } = get();
    if (last !== undefined && info.now_ms <= last.now_ms) return;
    set({ last: info, samples: [...samples, sampleOf(info)].slice(-SAMPLES_MAX) });
    for (const words of changes(last?.parts, info.parts)) push(info.now_ms, words);
  },
  note: (words) => push(Date.now(), words),
}));

let count = 0;

function push(atMs: number, words: string): void {
  count += 1;
  const event = { id: count, atMs, words };
  useHistory.setState(({ events }) => ({ events: [event, ...events].slice(0, EVENTS_MAX) }));
}

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

/** What has happened to the parts between two looks, in words. */
export function changes(before: readonly Part[] | undefined, now: readonly Part[]): string[] {
  if (before === undefined) return [];
  const texts = operatorTexts.events;
  const words: string[] = [];
  for (const part of now) {
    const old = before.find(({ name }) => name === part.name);
    if (old === undefined) continue;
    const isDown = DOWN.has(part.state);
    const wasDown = DOWN.has(old.state);
    if (isDown && !wasDown) words.push(texts.wentAway(part.name));
    else if (!isDown && (wasDown || part.restarts > old.restarts)) words.push(texts.cameBack(part.name));
  }
  return words;
}
