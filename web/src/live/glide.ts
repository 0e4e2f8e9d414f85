import type { Frame } from './frame';
import { BLEND_MAX } from './picture';

export type Mode = 'live' | 'playing' | 'paused';

/** How often playing looks at the clock. */
export const PLAY_STEP_MS = 50;
/** Frames that lie further apart than this in the run's time are jumped between. */
const APART_MS_MAX = 5000;
/** While few people are on the map their glide takes at least so long. */
const GLIDE_MS_MIN = 450;
const LIVE_MS_MAX = 1100;
const SINGLE_STEP_MS = 180;

/** Neighbouring moments are glided between, in about the time in which they come; farther ones jump: 0. */
export function glideMs(
  mode: Mode,
  speed: number,
  last: Frame | undefined,
  next: Frame,
  sinceLastMs: number,
): number {
  if (last === undefined || last.epoch !== next.epoch) return 0;
  const moments = next.moment - last.moment;
  if (mode === 'paused') return Math.abs(moments) === 1 ? SINGLE_STEP_MS : 0;
  const apartMs = Math.abs(next.timeMs - last.timeMs);
  if (moments < 0 || apartMs > APART_MS_MAX * Math.max(1, speed)) return 0;
  // Reports come in bursts, a few people in each frame: a glide of some length makes one motion of them.
  const least = next.count <= BLEND_MAX ? GLIDE_MS_MIN : PLAY_STEP_MS;
  if (mode === 'live') return Math.min(LIVE_MS_MAX, Math.max(least, sinceLastMs));
  return Math.max(least / Math.max(1, speed), apartMs / speed);
}
