/**
 * The times of a run's moments as one clock: they never go back, and what does not fit the others decides nothing.
 *
 * A moment has the time of reports, and reports may be held up on their way or come from a device whose clock is wrong.
 * Kept is the largest set of times that follow each other (a longest non-decreasing subsequence); at all other moments
 * the clock stands; where no time is known it is 0. So a few times of next year, or of last year, move no other moment.
 */
export function steady(times: readonly number[]): number[] {
  const kept = longestAscent(times);
  const first = kept[0];
  if (first === undefined) return times.map(() => 0);
  const clock: number[] = new Array(times.length);
  let next = 0;
  let now = times[first] as number;
  for (let at = 0; at < times.length; at += 1) {
    if (at === kept[next]) {
      now = times[at] as number;
      next += 1;
    }
    clock[at] = now;
  }
  return clock;
}

/** The indices of a longest non-decreasing subsequence; of several the one that ends lowest. Times that are none are left out. */
function longestAscent(times: readonly number[]): number[] {
  /** By length: the index of the lowest time with which a sequence of this length ends. */
  const ends: number[] = [];
  const before = new Int32Array(times.length).fill(-1);
  times.forEach((time, at) => {
    if (!isTime(time)) return;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((times[ends[middle] as number] as number) <= time) low = middle + 1;
      else high = middle;
    }
    before[at] = ends[low - 1] ?? -1;
    ends[low] = at;
  });
  const kept: number[] = [];
  for (let at = ends.at(-1) ?? -1; at >= 0; at = before[at] as number) kept.push(at);
  return kept.reverse();
}

/** What a Date can hold; numbers beyond it are no times. */
const TIME_MS_MAX = 8.64e15;

/** Is this a time that can be written? */
export const isTime = (ms: number): boolean => Math.abs(ms) <= TIME_MS_MAX;
