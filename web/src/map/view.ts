/** Where the map looks: pure arithmetic between field units (y north) and CSS pixels (y down). */

export interface Field {
  width: number;
  height: number;
}
export interface Size {
  width: number;
  height: number;
}
export interface View {
  /** The field position in the middle of the map. */
  x: number;
  y: number;
  /** CSS pixels per field unit. */
  scale: number;
}
export interface Point {
  x: number;
  y: number;
}

/** Room left around the field when the whole of it is shown, CSS px. */
const MARGIN_PX = 24;
/** How far in one can go, as a multiple of the whole field's scale. Positions are exact to 1/65535 of the field. */
const ZOOM_IN_MAX = 60;
/** How far out: the field at a third of the room. */
const ZOOM_OUT_MAX = 0.33;
/** The starting picture is never smaller than this share of what fits. */
const HOME_SHARE_MIN = 0.85;

/** The scale at which the whole field fits. */
export function fitScale(field: Field, size: Size): number {
  const width = Math.max(40, size.width - 2 * MARGIN_PX);
  const height = Math.max(40, size.height - 2 * MARGIN_PX);
  return Math.min(width / field.width, height / field.height);
}

/**
 * The view to begin with: the whole field in the middle. `scaleFactor` (pixels per field unit, the run's
 * parameter) is honoured as far as the field then fits and does not get lost in the room.
 */
export function homeView(field: Field, size: Size, scaleFactor: number): View {
  const fit = fitScale(field, size);
  const scale = Math.min(fit, Math.max(fit * HOME_SHARE_MIN, scaleFactor));
  return { x: field.width / 2, y: field.height / 2, scale };
}

export function toScreen(view: View, size: Size, x: number, y: number): Point {
  return { x: size.width / 2 + (x - view.x) * view.scale, y: size.height / 2 - (y - view.y) * view.scale };
}

export function toField(view: View, size: Size, px: number, py: number): Point {
  return { x: view.x + (px - size.width / 2) / view.scale, y: view.y - (py - size.height / 2) / view.scale };
}

/** Keeps the scale within its limits and the middle of the map on the field. */
export function clampView(view: View, field: Field, size: Size): View {
  const fit = fitScale(field, size);
  return {
    x: Math.min(field.width, Math.max(0, view.x)),
    y: Math.min(field.height, Math.max(0, view.y)),
    scale: Math.min(fit * ZOOM_IN_MAX, Math.max(fit * ZOOM_OUT_MAX, view.scale)),
  };
}

/** Zooms by `factor` and leaves what is under (px, py) where it is. */
export function zoomAt(view: View, field: Field, size: Size, px: number, py: number, factor: number): View {
  const under = toField(view, size, px, py);
  const { scale } = clampView({ ...view, scale: view.scale * factor }, field, size);
  const moved = {
    x: under.x - (px - size.width / 2) / scale,
    y: under.y + (py - size.height / 2) / scale,
    scale,
  };
  return clampView(moved, field, size);
}

export function panBy(view: View, field: Field, size: Size, dx: number, dy: number): View {
  return clampView({ ...view, x: view.x - dx / view.scale, y: view.y + dy / view.scale }, field, size);
}
