import type { Line } from '../../chart/plot';

/**
 * Six colours that people who see colours differently can tell apart (after Okabe and Ito, darkened or lightened
 * to 3:1 against the panel), each with dashes of its own.
 */
const COLOURS = {
  light: ['#c41f32', '#1b5cc4', '#0b7a5b', '#b35900', '#8a3a86', '#4f5b66'],
  dark: ['#ff6b74', '#7fb0ff', '#3fcf9f', '#f2a33c', '#d98ad3', '#b4c0cc'],
} as const;
const DASHES: readonly (readonly number[] | undefined)[] = [
  undefined,
  [8, 4],
  [2, 3],
  [10, 3, 2, 3],
  [5, 5],
  [1, 5],
];

/** How the run that was chosen as number `index` is drawn. */
export function styleOfRun(index: number, scheme: 'light' | 'dark'): Pick<Line, 'colour' | 'dash'> {
  const colours = COLOURS[scheme];
  const dash = DASHES[index % DASHES.length];
  return { colour: colours[index % colours.length] as string, ...(dash && { dash }) };
}
