import type { Infection } from './client';

/** So many questions are on their way at once. */
const AT_ONCE = 6;

/**
 * The infections of a chain, asked for infector by infector: for runs with so many that all of them are too many.
 * Ends when `most` cases are known.
 */
export async function follow(
  root: string,
  infectionsBy: (infector: string) => Promise<Infection[]>,
  most: number,
): Promise<Infection[]> {
  const found: Infection[] = [];
  const asked = new Set([root]);
  let wave = [root];
  while (wave.length > 0 && found.length < most) {
    const next: string[] = [];
    for (let i = 0; i < wave.length && found.length < most; i += AT_ONCE) {
      for (const infections of await Promise.all(wave.slice(i, i + AT_ONCE).map(infectionsBy))) {
        found.push(...infections);
        for (const { infectee } of infections) {
          if (asked.has(infectee)) continue;
          asked.add(infectee);
          next.push(infectee);
        }
      }
    }
    wave = next;
  }
  return found.sort((a, b) => a.time_ms - b.time_ms);
}
