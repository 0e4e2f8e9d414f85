import type { Frame, People } from '../live/frame';
import { DRAWN, DRAWN_MASK, IMMUNE_BIT } from '../live/frame';
import type { DrawStyle } from '../ui/glyphs';
import { CATEGORIES, type Category, type MapPalette } from '../ui/palette';
import type { Painter } from './painter';
import type { Field, Size, View } from './view';

export type RendererKind = 'webgl' | 'canvas';

/** What a processor does about the number of people in view. */
export interface Effort {
  /** Too many to be drawn between two pictures of the screen. */
  apart: boolean;
  /** Too many for smooth sprites. */
  squares: boolean;
}

/** How people look; what a back end needs besides the frame and the view. */
export interface Look {
  style: DrawStyle;
  palette: MapPalette;
  /** Categories that are shown. */
  shown: ReadonlySet<Category>;
  /** Radius of a dot, or half the size of an icon, CSS px. */
  dotPx: number;
  /** Radius of the infection ring, CSS px; 0 for none. */
  ringPx: number;
  effort: Effort;
  /** Only these slots stand out, the others are faint; undefined for no such thing. */
  isolated: ReadonlySet<number> | undefined;
}

/** A back end: draws people on a canvas of its own, transparent where nobody is. */
export interface MapRenderer {
  readonly kind: RendererKind;
  readonly canvas: HTMLCanvasElement;
  /** Takes the frame to show and the one that people come from. */
  frame(previous: Frame | undefined, current: Frame): void;
  view(view: View, size: Size, pixelRatio: number): void;
  mode(look: Look): void;
  /** How many people the view showed when that was counted last; undefined when the back end does not count. */
  readonly inView?: number | undefined;
  /** Draws; `progress` is how far the glide is, 0 to 1. True when people are then drawn other than before. */
  draw(progress: number): boolean;
  dispose(): void;
}

export interface RendererOptions {
  field: Field;
  painter: Painter;
  /** The back end can draw no more; another has to take its place. */
  onLost(): void;
}

/** Category of each state byte, as an index into `CATEGORIES`; 255 for nobody. */
export const CATEGORY_OF_STATE: Uint8Array = Uint8Array.from({ length: 256 }, (_, state) => {
  const drawn = state & DRAWN_MASK;
  if (drawn === DRAWN.absent) return 255;
  if (drawn === DRAWN.infected) return CATEGORIES.indexOf('infected');
  if (drawn === DRAWN.dead) return CATEGORIES.indexOf('dead');
  return CATEGORIES.indexOf(state & IMMUNE_BIT ? 'immune' : 'safe');
});

/**
 * Both coordinates of each slot in one word, x in its low half: one read instead of two, which at a million
 * people is a third of the time. Frames and all machines with a browser are little endian.
 */
export function wordsOf({ xy, count }: Pick<People, 'xy' | 'count'>): Uint32Array {
  return new Uint32Array(xy.buffer, xy.byteOffset, count);
}

export function categoryOf(state: number): Category | undefined {
  return CATEGORIES[CATEGORY_OF_STATE[state] ?? 255];
}

/** Opacity of those who are not isolated. */
export const FAINT = 0.16;
/** Opacity of the infection ring; the dead infect nobody, theirs is only a trace. */
export const RING_OPACITY: Record<Category, number> = { dead: 0.16, safe: 0.38, immune: 0.38, infected: 0.6 };
