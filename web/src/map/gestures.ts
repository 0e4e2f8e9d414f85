/** Pointer, pinch and wheel on the map, told as pans, zooms and clicks. */

export interface GestureEvents {
  pan(dx: number, dy: number): void;
  zoom(px: number, py: number, factor: number): void;
  click(px: number, py: number): void;
}

/** A press that moves less than this is a click, CSS px. */
const CLICK_PX = 5;

/** Listens on an element until the returned function is called. */
export function listenForGestures(element: HTMLElement, events: GestureEvents): () => void {
  const pointers = new Map<number, { x: number; y: number }>();
  let travelled = 0;

  const place = (event: PointerEvent | WheelEvent) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    if (pointers.size === 0) travelled = 0;
    pointers.set(event.pointerId, place(event));
    element.setPointerCapture(event.pointerId);
  };

  const move = (event: PointerEvent) => {
    const before = pointers.get(event.pointerId);
    if (before === undefined) return;
    const now = place(event);
    const other = [...pointers.entries()].find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, now);
    travelled += Math.hypot(now.x - before.x, now.y - before.y);
    if (travelled < CLICK_PX) return;
    if (other === undefined) {
      events.pan(now.x - before.x, now.y - before.y);
      return;
    }
    const apart = (p: { x: number; y: number }) => Math.max(8, Math.hypot(p.x - other.x, p.y - other.y));
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    events.zoom(middle.x, middle.y, apart(now) / apart(before));
    events.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  };

  const up = (event: PointerEvent) => {
    if (!pointers.delete(event.pointerId)) return;
    if (pointers.size === 0 && travelled < CLICK_PX && event.type === 'pointerup') {
      const { x, y } = place(event);
      events.click(x, y);
    }
  };

  const wheel = (event: WheelEvent) => {
    event.preventDefault();
    const { x, y } = place(event);
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    // A pinch on a touchpad comes as a wheel with Ctrl and small steps.
    const strength = event.ctrlKey ? 0.01 : 0.0016;
    events.zoom(x, y, Math.exp(-event.deltaY * lines * strength));
  };

  element.addEventListener('pointerdown', down);
  element.addEventListener('pointermove', move);
  element.addEventListener('pointerup', up);
  element.addEventListener('pointercancel', up);
  element.addEventListener('wheel', wheel, { passive: false });
  return () => {
    element.removeEventListener('pointerdown', down);
    element.removeEventListener('pointermove', move);
    element.removeEventListener('pointerup', up);
    element.removeEventListener('pointercancel', up);
    element.removeEventListener('wheel', wheel);
  };
}
