import { describe, expect, test } from 'vitest';
import { clampView, fitScale, homeView, panBy, toField, toScreen, zoomAt } from './view';

const field = { width: 100, height: 50 };
const size = { width: 848, height: 448 };

describe('the view', () => {
  test('takes a place to the screen and back, north up', () => {
    const view = { x: 30, y: 20, scale: 4 };
    const at = toScreen(view, size, 31, 22);
    expect(at).toEqual({ x: 428, y: 216 });
    expect(toField(view, size, at.x, at.y)).toEqual({ x: 31, y: 22 });
  });

  test('begins with the whole field at the scale factor of the run when that fits', () => {
    expect(fitScale(field, size)).toBe(8);
    expect(homeView(field, size, 7.5)).toEqual({ x: 50, y: 25, scale: 7.5 });
    expect(homeView(field, size, 40).scale).toBe(8);
    expect(homeView(field, size, 0.1).scale).toBeGreaterThan(5);
  });

  test('zooms around what is under the pointer', () => {
    const before = { x: 50, y: 25, scale: 8 };
    const under = toField(before, size, 100, 100);
    const after = zoomAt(before, field, size, 100, 100, 2);
    expect(after.scale).toBe(16);
    expect(toScreen(after, size, under.x, under.y).x).toBeCloseTo(100);
    expect(toScreen(after, size, under.x, under.y).y).toBeCloseTo(100);
  });

  test('cannot leave the field nor zoom without end', () => {
    expect(panBy({ x: 50, y: 25, scale: 8 }, field, size, 1e6, 0).x).toBe(0);
    expect(clampView({ x: 50, y: 25, scale: 1e9 }, field, size).scale).toBe(480);
    expect(clampView({ x: 50, y: 25, scale: 0 }, field, size).scale).toBeCloseTo(2.64);
  });
});
