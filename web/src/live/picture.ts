import { DRAWN, DRAWN_MASK, type Frame, type People, sameCells } from './frame';

/** A glide longer than this would lie about where people are; a jump is more honest. */
const GLIDE_MS_MAX = 1500;

/** Up to so many people a glide that is cut short goes on from where they are seen; above it from the last frame. */
export const BLEND_MAX = 20_000;

export type PictureListener = () => void;

/**
 * The frame on show and the one before it, with the time in which people glide from one to the other.
 * It lives outside of React: the map asks it for each draw.
 */
export class Picture {
  current: Frame | undefined;
  previous: Frame | undefined;
  private glideStart = 0;
  private glideMs = 0;
  private readonly listeners = new Set<PictureListener>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Shows a frame; people glide to it within `glideMs`, or jump when that is 0. */
  show(frame: Frame, glideMs: number): void {
    const last = this.current;
    if (last !== undefined && last.moment === frame.moment && last.epoch === frame.epoch && frame.from) {
      // The same moment through another window: the glide under way goes on.
      this.previous = this.progress() < 1 ? { ...frame, xy: frame.from } : undefined;
    } else {
      const glides = glideMs > 0 && last?.epoch === frame.epoch && last.moment !== frame.moment;
      this.previous = glides ? this.origin(last, frame) : undefined;
      this.glideStart = this.now();
      this.glideMs = this.previous === undefined ? 0 : Math.min(glideMs, GLIDE_MS_MAX);
    }
    this.current = frame;
    for (const listener of this.listeners) listener();
  }

  /** Where people come from, in the order of the new frame; undefined when that is not known. */
  private origin(last: Frame, frame: Frame): Frame | undefined {
    const { density, from } = frame;
    if (density === undefined) {
      if (from !== undefined) return { ...frame, xy: from };
    } else if (from === undefined || last.density === undefined || !sameCells(last.density, density)) {
      return undefined;
    } else return { ...frame, xy: from, density: last.density };
    return last.slots === undefined ? this.seenNow(last) : undefined;
  }

  /** A frame of where people are seen now, in the middle of a glide. */
  private seenNow(last: Frame): Frame {
    const progress = this.progress();
    const { previous } = this;
    if (progress >= 1 || previous === undefined || last.count > BLEND_MAX) return last;
    const xy = last.xy.slice();
    for (let slot = 0; slot < last.count; slot += 1) {
      const place = placeOf(previous, last, slot, progress);
      if (place === undefined) continue;
      xy[2 * slot] = place.x;
      xy[2 * slot + 1] = place.y;
    }
    return { ...last, xy };
  }

  clear(): void {
    this.current = undefined;
    this.previous = undefined;
    for (const listener of this.listeners) listener();
  }

  /** How far the glide is, 0 to 1. */
  progress(): number {
    if (this.glideMs === 0) return 1;
    return Math.min(1, (this.now() - this.glideStart) / this.glideMs);
  }

  subscribe(listener: PictureListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** Where the person at an index is at `progress` of the glide, 0 to 65535 on each axis; undefined when nobody is there. */
export function placeOf(
  previous: People | undefined,
  current: People,
  index: number,
  progress: number,
): { x: number; y: number } | undefined {
  const state = current.states[index];
  const x = current.xy[2 * index];
  const y = current.xy[2 * index + 1];
  if (state === undefined || x === undefined || y === undefined) return undefined;
  if ((state & DRAWN_MASK) === DRAWN.absent) return undefined;
  if (previous === undefined || index >= previous.count || progress >= 1) return { x, y };
  const x0 = previous.xy[2 * index];
  const y0 = previous.xy[2 * index + 1];
  if (x0 === undefined || y0 === undefined) return { x, y };
  if (((previous.states[index] ?? DRAWN.absent) & DRAWN_MASK) === DRAWN.absent) return { x, y };
  return { x: x0 + (x - x0) * progress, y: y0 + (y - y0) * progress };
}
