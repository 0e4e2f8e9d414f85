import { type DrawStyle, GLYPH_BOX, PATHS } from '../ui/glyphs';
import { CATEGORIES, type Category, type MapPalette } from '../ui/palette';
import { type Look, RING_OPACITY } from './renderer';

/** No sprite is larger, device px: what a point may measure on any GPU, with room to spare. */
const SPRITE_PX_MAX = 512;
const HALO_PX = 1.25;
const DASH_PX = 4;

/** Small pictures of each category, drawn once for a look and then stamped for each person. */
export interface Sprites {
  /** Side of a cell, device px. */
  person: number;
  ring: number;
  people: Map<Category, OffscreenCanvas>;
  /** Missing when the ring is off, hidden by the dot, or too large to stamp. */
  rings: Map<Category, OffscreenCanvas>;
}

export function makeSprites(look: Look, pixelRatio: number): Sprites {
  const radius = Math.min(look.dotPx * pixelRatio, SPRITE_PX_MAX / 2 - 4);
  const person = 2 * Math.ceil(radius + HALO_PX * pixelRatio + 1);
  const ringRadius = look.ringPx * pixelRatio;
  const ring = 2 * Math.ceil(ringRadius + pixelRatio + 1);
  const withRing = look.ringPx > look.dotPx + 1 && ring <= SPRITE_PX_MAX;
  const sprites: Sprites = { person, ring, people: new Map(), rings: new Map() };
  for (const category of CATEGORIES) {
    sprites.people.set(category, drawPerson(look.style, category, look.palette, person, radius, pixelRatio));
    if (withRing) sprites.rings.set(category, drawRing(category, look.palette, ring, ringRadius, pixelRatio));
  }
  return sprites;
}

/** The same cells side by side in the order of `CATEGORIES`, for a texture. */
export function atlasOf(cells: Map<Category, OffscreenCanvas>, side: number): OffscreenCanvas {
  const atlas = new OffscreenCanvas(side * CATEGORIES.length, side);
  const pen = penOf(atlas);
  CATEGORIES.forEach((category, index) => {
    const cell = cells.get(category);
    if (cell !== undefined) pen.drawImage(cell, index * side, 0);
  });
  return atlas;
}

function drawPerson(
  style: DrawStyle,
  category: Category,
  palette: MapPalette,
  side: number,
  radius: number,
  pixelRatio: number,
): OffscreenCanvas {
  const canvas = new OffscreenCanvas(side, side);
  const pen = penOf(canvas);
  const path = new Path2D(PATHS[style][category]);
  // The round shapes measure 16 of the 24 units across; icons use the whole box.
  const extent = style === 'icons' ? GLYPH_BOX / 2 : style === 'shapes' ? 9 : 8;
  const scale = radius / extent;
  pen.translate(side / 2, side / 2);
  pen.scale(scale, scale);
  pen.translate(-GLYPH_BOX / 2, -GLYPH_BOX / 2);
  pen.lineJoin = 'round';
  if (radius > 2) {
    pen.strokeStyle = palette.halo;
    pen.lineWidth = (2 * HALO_PX * pixelRatio) / scale;
    pen.stroke(path);
  }
  pen.fillStyle = palette.people[category];
  pen.fill(path, 'evenodd');
  return canvas;
}

function drawRing(
  category: Category,
  palette: MapPalette,
  side: number,
  radius: number,
  pixelRatio: number,
): OffscreenCanvas {
  const canvas = new OffscreenCanvas(side, side);
  const pen = penOf(canvas);
  const around = 2 * Math.PI * radius;
  const dashes = Math.max(6, Math.round(around / (2 * DASH_PX * pixelRatio)));
  pen.setLineDash([around / dashes / 2, around / dashes / 2]);
  pen.globalAlpha = RING_OPACITY[category];
  pen.strokeStyle = palette.people[category];
  pen.lineWidth = pixelRatio;
  pen.beginPath();
  pen.arc(side / 2, side / 2, radius, 0, 2 * Math.PI);
  pen.stroke();
  return canvas;
}

function penOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const pen = canvas.getContext('2d');
  if (pen === null) throw new Error('no 2D canvas');
  return pen;
}
