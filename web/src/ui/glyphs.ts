import type { Category } from './palette';

/** Own drawings for the Realism switch, as SVG paths in a box of 24 by 24. */
export const GLYPH_BOX = 24;

const HUMAN =
  'M12 1.6a3.5 3.5 0 1 1 0 7a3.5 3.5 0 0 1 0-7ZM9 9.8h6a3 3 0 0 1 3 3v4.4a1.3 1.3 0 0 1-2.6 0v-4h-.7v8a1.4 1.4 0 0 1-2.3 0.9v-5.6h-.8v5.6a1.4 1.4 0 0 1-2.3-.9v-8h-.7v4a1.3 1.3 0 0 1-2.6 0v-4.4a3 3 0 0 1 3-3Z';
/** The immune carry a cross, cut out of the body. */
const IMMUNE = `${HUMAN}M11.2 10.600h1.600v1.300h1.300v1.600h-1.300v1.300h-1.600v-1.300h-1.300v-1.600h1.300Z`;
const ZOMBIE =
  'M10.2 1.9a3.5 3.5 0 1 1 2.5 6.5a3.5 3.5 0 0 1-2.5-6.5ZM8.6 9.6h12.1a1.35 1.35 0 0 1 0 2.7h-6.3l.2 1h4.6a1.35 1.35 0 0 1 0 2.7h-4.3l1.7 5.2a1.4 1.4 0 0 1-2.6 1.1l-2-4.9l-1.6 5a1.4 1.4 0 0 1-2.8-.6l1.3-6.6l-1.2-3.1a1.9 1.9 0 0 1 .9-2.5Z';
const GRAVESTONE =
  'M6 20.2V9a6 6 0 0 1 12 0v11.2h2.2a1 1 0 0 1 0 2H3.800a1 1 0 0 1 0-2ZM11 6.300v2.200H8.800v2H11v5.300h2v-5.300h2.200v-2H13V6.300Z';

export const GLYPHS: Record<Category, string> = {
  safe: HUMAN,
  immune: IMMUNE,
  infected: ZOMBIE,
  dead: GRAVESTONE,
};

/** The plain shapes: colour is never the only difference when "shapes" is on. */
export const SHAPES: Record<Category, string> = {
  safe: 'M12 4a8 8 0 1 1 0 16a8 8 0 0 1 0-16Z',
  immune: 'M12 4a8 8 0 1 1 0 16a8 8 0 0 1 0-16Zm0 4.500a3.500 3.500 0 1 0 0 7a3.500 3.500 0 0 0 0-7Z',
  infected: 'M12 2.500L22 20.500H2Z',
  dead: 'M6.200 3.800L12 9.600L17.800 3.800L20.200 6.200L14.400 12L20.200 17.800L17.800 20.200L12 14.400L6.200 20.200L3.800 17.800L9.600 12L3.800 6.200Z',
};

/** Dots: everybody round, the immune hollow. */
export const DOTS: Record<Category, string> = {
  safe: SHAPES.safe,
  immune: SHAPES.immune,
  infected: SHAPES.safe,
  dead: SHAPES.safe,
};

export type DrawStyle = 'dots' | 'shapes' | 'icons';
export const PATHS: Record<DrawStyle, Record<Category, string>> = {
  dots: DOTS,
  shapes: SHAPES,
  icons: GLYPHS,
};
