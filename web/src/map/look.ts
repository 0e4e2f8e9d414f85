import type { DrawStyle } from '../ui/glyphs';
import type { Field, View } from './view';

/** Up to so many in view there are icons and rings; a crowd of them would be a solid carpet. */
export const DETAILED_MAX = 3000;
/** All dots together cover at most this share of the field. */
const COVER_MAX = 0.3;
const DOT_PX_MIN = 0.75;
const DOT_PX_MAX = 14;
const ICON_PX_MIN = 9;

export interface Sizes {
  style: DrawStyle;
  dotPx: number;
  ringPx: number;
}

/** How large people are drawn, CSS px: by the run's scale factor, the zoom, and how many there are. */
export function sizesFor(
  wish: DrawStyle,
  view: View,
  home: View,
  field: Field,
  people: { count: number; inView: number },
  run: { scaleFactor: number; infectionRadius: number },
): Sizes {
  const detailed = people.inView <= DETAILED_MAX;
  const style = detailed ? wish : wish === 'icons' ? 'dots' : wish;
  const base = Math.min(6, Math.max(3.5, run.scaleFactor * 0.9));
  const roomPx = field.width * field.height * view.scale ** 2;
  const crowd = Math.sqrt((COVER_MAX * roomPx) / (Math.PI * Math.max(1, people.count)));
  const zoom = Math.max(0.6, view.scale / home.scale) ** 0.4;
  const dot = Math.min(DOT_PX_MAX, Math.max(DOT_PX_MIN, Math.min(base * zoom, crowd)));
  const ringPx = detailed ? run.infectionRadius * view.scale : 0;
  if (style === 'icons') return { style, dotPx: half(Math.max(ICON_PX_MIN, dot * 2.1)), ringPx };
  return { style, dotPx: half(dot), ringPx };
}

/** Steps of half a pixel, so that zooming does not draw new sprites at each step. */
const half = (px: number) => Math.max(DOT_PX_MIN, Math.round(px * 2) / 2);
