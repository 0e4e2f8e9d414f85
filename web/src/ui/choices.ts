import { create } from 'zustand';
import type { DrawStyle } from './glyphs';
import { CATEGORIES, type Category } from './palette';

/** The page's views; the laboratory's is the operator's. */
export const VIEWS = ['map', 'runs', 'laboratory'] as const;
export type ViewName = (typeof VIEWS)[number];

/** More curves in one chart cannot be told apart. */
export const COMPARED_MAX = 6;

/** What the visitor has chosen to see. Time is the session's, the colour scheme is the theme's. */
export interface Choices {
  page: ViewName;
  /** Runs that are compared, in the order in which they were chosen. */
  compared: readonly string[];
  /** Is the chart that compares them on show, rather than the list? */
  comparing: boolean;
  realism: boolean;
  shapes: boolean;
  shown: ReadonlySet<Category>;
  /** The selected person's id; it outlives scrubbing, playing and live. */
  person: string | undefined;
  /** Their slot, once it is known. */
  slot: number | undefined;
  follow: boolean;
  isolate: boolean;
  /** Slots that stand out while isolating. */
  isolated: ReadonlySet<number> | undefined;
  /** What the map really draws. */
  drawing: DrawStyle | 'density';
  help: boolean;
  /** Is the operator's dialog for signing in open? */
  signingIn: boolean;
  /** Is the form for going to a time open? */
  goingTo: boolean;
  /** The moment to fork the run on show from, while the form for it is open. */
  forkAt: number | undefined;

  /** Selects somebody by id, and by slot when that is known. */
  select(person: string | undefined, slot?: number): void;
  /** Selects somebody on the map, whose id is not known yet. */
  pick(slot: number): void;
  toggleShown(category: Category): void;
  set(
    change: Partial<
      Pick<
        Choices,
        | 'page'
        | 'compared'
        | 'comparing'
        | 'realism'
        | 'shapes'
        | 'slot'
        | 'follow'
        | 'isolate'
        | 'isolated'
        | 'drawing'
        | 'help'
        | 'signingIn'
        | 'goingTo'
        | 'forkAt'
      >
    >,
  ): void;
}

export const useChoices = create<Choices>()((set, get) => ({
  page: 'map',
  compared: [],
  comparing: false,
  realism: false,
  shapes: false,
  shown: new Set(CATEGORIES),
  person: undefined,
  slot: undefined,
  follow: false,
  isolate: false,
  isolated: undefined,
  drawing: 'dots',
  help: false,
  signingIn: false,
  goingTo: false,
  forkAt: undefined,
  select(person, slot) {
    const stays = person !== undefined && get().follow;
    set({ person, slot, follow: stays, isolated: undefined, isolate: person !== undefined && get().isolate });
  },
  pick(slot) {
    set({ person: undefined, slot, follow: get().follow, isolated: undefined });
  },
  toggleShown(category) {
    const shown = new Set(get().shown);
    if (!shown.delete(category)) shown.add(category);
    set({ shown });
  },
  set,
}));

/** How people should be drawn; a crowd may be drawn otherwise. */
export const styleOf = ({ realism, shapes }: Pick<Choices, 'realism' | 'shapes'>): DrawStyle =>
  realism ? 'icons' : shapes ? 'shapes' : 'dots';
