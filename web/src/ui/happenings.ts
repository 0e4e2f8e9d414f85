import { create } from 'zustand';

const KEPT_MAX = 100;

/** Something that the operator did, or that a part of the laboratory did. */
export interface Happening {
  id: number;
  atMs: number;
  words: string;
  /** A part was at fault from then on: worth a mark beside the time. */
  isFault: boolean;
}

interface Happenings {
  /** Newest first. Empty for whoever is not the operator. */
  list: readonly Happening[];
  note(words: string, atMs?: number, isFault?: boolean): void;
}

export const useHappenings = create<Happenings>()((set) => ({
  list: [],
  note(words, atMs = Date.now(), isFault = false) {
    set(({ list }) => ({
      list: [{ id: (list[0]?.id ?? 0) + 1, atMs, words, isFault }, ...list].slice(0, KEPT_MAX),
    }));
  },
}));
