import { DRAWN, DRAWN_MASK, type Frame, indexOf, type People, slotAt } from '../live/frame';
import { placeOf } from '../live/picture';
import type { Category } from '../ui/palette';
import { categoryOf } from './renderer';
import { type Field, type Point, type Size, toField, toScreen, type View } from './view';

/** A click takes the nearest person within this distance. */
export const PICK_PX = 12;

export interface Scene {
  previous: Frame | undefined;
  current: Frame;
  progress: number;
  view: View;
  size: Size;
  field: Field;
  shown: ReadonlySet<Category>;
}

/** The slot nearest to a point on the screen, within `reachPx`; undefined when nobody is there. */
export function nearest(scene: Scene, px: number, py: number, reachPx = PICK_PX): number | undefined {
  const at = toField(scene.view, scene.size, px, py);
  const reach = reachPx / scene.view.scale;
  let best: number | undefined;
  let bestSquare = reach * reach;
  forEachShown(scene, (slot, x, y) => {
    const square = (x - at.x) ** 2 + (y - at.y) ** 2;
    if (square <= bestSquare) {
      bestSquare = square;
      best = slot;
    }
  });
  return best;
}

export type Direction = 'north' | 'east' | 'south' | 'west';
const HEADINGS: Record<Direction, Point> = {
  north: { x: 0, y: 1 },
  east: { x: 1, y: 0 },
  south: { x: 0, y: -1 },
  west: { x: -1, y: 0 },
};

/** The nearest person from `from` (field units) in a direction, within 45 degrees of it. */
export function nearestTowards(
  scene: Scene,
  from: Point,
  direction: Direction,
  except?: number,
): number | undefined {
  const heading = HEADINGS[direction];
  let best: number | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  forEachShown(scene, (slot, x, y) => {
    if (slot === except) return;
    const dx = x - from.x;
    const dy = y - from.y;
    const along = dx * heading.x + dy * heading.y;
    const across = Math.abs(dx * heading.y + dy * heading.x);
    if (along <= 0 || across > along) return;
    const distance = along + across;
    if (distance < bestDistance) {
      bestDistance = distance;
      best = slot;
    }
  });
  return best;
}

/** Where a slot is, in field units; undefined when nobody is there. */
export function fieldPlace(scene: Scene, slot: number): Point | undefined {
  const index = indexOf(scene.current, slot);
  const place =
    index === undefined ? undefined : placeOf(scene.previous, scene.current, index, scene.progress);
  if (place === undefined) return undefined;
  return { x: (place.x * scene.field.width) / 65535, y: (place.y * scene.field.height) / 65535 };
}

/** How many people the map shows with the present view. */
export function countInView(scene: Pick<Scene, 'view' | 'size' | 'field'> & { current: People }): number {
  const { xy, states, count } = scene.current;
  const { field, view, size } = scene;
  const west = ((view.x - size.width / 2 / view.scale) * 65535) / field.width;
  const east = ((view.x + size.width / 2 / view.scale) * 65535) / field.width;
  const south = ((view.y - size.height / 2 / view.scale) * 65535) / field.height;
  const north = ((view.y + size.height / 2 / view.scale) * 65535) / field.height;
  let n = 0;
  for (let slot = 0; slot < count; slot += 1) {
    const x = xy[2 * slot] as number;
    const y = xy[2 * slot + 1] as number;
    if (
      x >= west &&
      x <= east &&
      y >= south &&
      y <= north &&
      ((states[slot] as number) & DRAWN_MASK) !== DRAWN.absent
    ) {
      n += 1;
    }
  }
  return n;
}

/** The place on the screen of a slot. */
export function screenPlace(scene: Scene, slot: number): Point | undefined {
  const place = fieldPlace(scene, slot);
  return place && toScreen(scene.view, scene.size, place.x, place.y);
}

function forEachShown(scene: Scene, visit: (slot: number, x: number, y: number) => void): void {
  const { previous, current, progress, field, shown } = scene;
  const kx = field.width / 65535;
  const ky = field.height / 65535;
  const still = previous === undefined || progress >= 1;
  for (let index = 0; index < current.count; index += 1) {
    const category = categoryOf(current.states[index] as number);
    if (category === undefined || !shown.has(category)) continue;
    if (still) {
      const x = (current.xy[2 * index] as number) * kx;
      visit(slotAt(current, index), x, (current.xy[2 * index + 1] as number) * ky);
    } else {
      const place = placeOf(previous, current, index, progress);
      if (place !== undefined) visit(slotAt(current, index), place.x * kx, place.y * ky);
    }
  }
}
