import type { MapPalette } from '../ui/palette';
import { type Field, type Point, type Size, toScreen, type View } from './view';

/** The grid's lines stand at least so far apart, CSS px. */
const GRID_PX_MIN = 36;
const SCALE_BAR_PX_MIN = 48;

export interface Ground {
  view: View;
  size: Size;
  field: Field;
  palette: MapPalette;
}

/** The field with its border and grid, under the people. */
export function drawGround(pen: CanvasRenderingContext2D, pixelRatio: number, ground: Ground): void {
  const { view, size, field, palette } = ground;
  pen.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
  pen.fillStyle = palette.outside;
  pen.fillRect(0, 0, size.width, size.height);
  const topLeft = toScreen(view, size, 0, field.height);
  const width = field.width * view.scale;
  const height = field.height * view.scale;
  pen.fillStyle = palette.field;
  pen.fillRect(topLeft.x, topLeft.y, width, height);
  pen.save();
  pen.beginPath();
  pen.rect(topLeft.x, topLeft.y, width, height);
  pen.clip();
  drawGrid(pen, ground);
  pen.restore();
  pen.strokeStyle = palette.border;
  pen.lineWidth = 1.5;
  pen.strokeRect(topLeft.x, topLeft.y, width, height);
}

function drawGrid(pen: CanvasRenderingContext2D, { view, size, field, palette }: Ground): void {
  const step = niceStep(GRID_PX_MIN / view.scale);
  pen.strokeStyle = palette.grid;
  pen.lineWidth = 1;
  pen.beginPath();
  const west = Math.max(0, view.x - size.width / 2 / view.scale);
  const east = Math.min(field.width, view.x + size.width / 2 / view.scale);
  for (let x = Math.ceil(west / step) * step; x <= east; x += step) {
    const at = Math.round(toScreen(view, size, x, 0).x) + 0.5;
    pen.moveTo(at, 0);
    pen.lineTo(at, size.height);
  }
  const south = Math.max(0, view.y - size.height / 2 / view.scale);
  const north = Math.min(field.height, view.y + size.height / 2 / view.scale);
  for (let y = Math.ceil(south / step) * step; y <= north; y += step) {
    const at = Math.round(toScreen(view, size, 0, y).y) + 0.5;
    pen.moveTo(0, at);
    pen.lineTo(size.width, at);
  }
  pen.stroke();
}

/** 1, 2 or 5 times a power of ten, not below `least`. */
export function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((f) => f * power >= least) ?? 10;
  return factor * power;
}

/** How long the scale bar is, in field units and CSS px. */
export function scaleBar(view: View): { units: number; px: number } {
  const units = niceStep(SCALE_BAR_PX_MIN / view.scale);
  return { units, px: units * view.scale };
}

/** The mark around the selected person, over the people. */
export function drawSelection(
  pen: CanvasRenderingContext2D,
  pixelRatio: number,
  { size, palette }: Pick<Ground, 'size' | 'palette'>,
  at: Point | undefined,
  dotPx: number,
): void {
  pen.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
  pen.clearRect(0, 0, size.width, size.height);
  if (at === undefined) return;
  const radius = dotPx + 5;
  pen.strokeStyle = palette.halo;
  pen.lineWidth = 5;
  markPath(pen, at, radius);
  pen.strokeStyle = palette.selection;
  pen.lineWidth = 2;
  markPath(pen, at, radius);
}

function markPath(pen: CanvasRenderingContext2D, { x, y }: Point, radius: number): void {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ] as const) {
    pen.moveTo(x + dx * radius, y + dy * radius);
    pen.lineTo(x + dx * (radius + 5), y + dy * (radius + 5));
  }
  pen.stroke();
}
