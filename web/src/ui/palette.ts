/** The four kinds of people that the map and the legend tell apart, in drawing order: the last lies on top. */
export const CATEGORIES = ['dead', 'safe', 'immune', 'infected'] as const;
export type Category = (typeof CATEGORIES)[number];

/** Colours of the map; each stands at least 3:1 against `field`. */
export interface MapPalette {
  field: string;
  outside: string;
  border: string;
  grid: string;
  /** Drawn around each dot, so that neighbours stay apart. */
  halo: string;
  selection: string;
  people: Record<Category, string>;
}

export const MAP_PALETTES: Record<'light' | 'dark', MapPalette> = {
  light: {
    field: '#ffffff',
    outside: '#eef1f5',
    border: '#b9c3cf',
    grid: '#eef1f5',
    halo: '#ffffff',
    selection: '#17202b',
    people: { dead: '#808b98', safe: '#1f66d6', immune: '#1f66d6', infected: '#d31f33' },
  },
  dark: {
    field: '#141b23',
    outside: '#0c1117',
    border: '#3a4755',
    grid: '#1b242e',
    halo: '#141b23',
    selection: '#f2f5f8',
    people: { dead: '#7f8b98', safe: '#5a9bff', immune: '#5a9bff', infected: '#ff5964' },
  },
};

/** '#rrggbb' as three numbers from 0 to 255. */
export function rgb(colour: string): [number, number, number] {
  const value = Number.parseInt(colour.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}
