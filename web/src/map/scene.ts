import { type Frame, indexOf } from '../live/frame';
import { type Picture, placeOf } from '../live/picture';
import type { DrawStyle } from '../ui/glyphs';
import type { Category, MapPalette } from '../ui/palette';
import { drawGround, drawSelection } from './backdrop';
import { effortFor } from './canvas';
import { gpuName, kindFor, makeRenderer, SlownessWatch } from './choose';
import { crowdFrom, isCrowded } from './density';
import { DensityLayer } from './density-layer';
import { listenForGestures } from './gestures';
import { DETAILED_MAX, type Sizes, sizesFor } from './look';
import { Painter } from './painter';
import {
  countInView,
  type Direction,
  fieldPlace,
  nearest,
  nearestTowards,
  type Scene,
  screenPlace,
} from './pick';
import type { Effort, MapRenderer, RendererKind } from './renderer';
import {
  clampView,
  type Field,
  fitScale,
  homeView,
  type Point,
  panBy,
  type Size,
  type View,
  zoomAt,
} from './view';
import { isEnough, isEverything, WINDOW_FROM, type Window, windowAround } from './window';

/** Counting a million people takes a millisecond or two: not for each frame. */
const COUNT_MS = 400;
const COUNT_FREE = 20_000;
/** The server is told of a new window at most this often. */
const LOOK_MS = 120;
/** Draw times kept for the tests and the curious. */
const TIMINGS_MAX = 240;

export interface MapWish {
  palette: MapPalette;
  style: DrawStyle;
  shown: ReadonlySet<Category>;
  selected: number | undefined;
  isolated: ReadonlySet<number> | undefined;
  follow: boolean;
}

export interface MapRun {
  field: Field;
  scaleFactor: number;
  infectionRadius: number;
}

export interface MapEvents {
  pick(slot: number | undefined): void;
  /** The visitor or the room has changed the view. */
  view(view: View, isHome: boolean): void;
  /** The visitor moved the map by hand: following ends. */
  panned(): void;
  /** What of the field has to be known from now on; undefined: all of it. */
  look(window: Window | undefined): void;
  /** What is really drawn: icons become dots in a crowd, dots a density, and the back end can change. */
  drawing(style: DrawStyle | 'density', kind: RendererKind): void;
}

/** The map without React: three canvases, the gestures, and the loop that draws when there is something new. */
export class MapScene {
  readonly timings: number[] = [];
  draws = 0;
  /** Pictures of people that were shown: a draw without anything new is none. */
  pictures = 0;
  private renderer: MapRenderer;
  private readonly ground = document.createElement('canvas');
  private readonly painter = new Painter(() => this.invalidate());
  private readonly density = new DensityLayer(this.painter);
  private readonly marks = document.createElement('canvas');
  private readonly stops: (() => void)[] = [];
  private readonly watch = new SlownessWatch();
  private readonly stillness = matchMedia('(prefers-reduced-motion: reduce)');
  private size: Size = { width: 0, height: 0 };
  private current: View;
  private isHome: boolean;
  private request = 0;
  private groundOld = true;
  private lookOld = true;
  private frameOld = true;
  private sizes: Sizes | undefined;
  private inView = 0;
  private crowded = false;
  private effort: Effort = { apart: false, squares: false };
  private countedAt = 0;
  private window: Window | undefined;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private lookTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly host: HTMLElement,
    private readonly picture: Picture,
    private readonly run: MapRun,
    private wish: MapWish,
    private readonly events: MapEvents,
    private readonly options: {
      renderer: RendererKind | undefined;
      view: View | undefined;
      density: boolean;
    },
  ) {
    this.isHome = options.view === undefined;
    this.current = options.view ?? {
      x: run.field.width / 2,
      y: run.field.height / 2,
      scale: run.scaleFactor,
    };
    this.renderer = this.make(kindFor(options.renderer, gpuName));
    host.replaceChildren(this.ground, this.density.canvas, this.renderer.canvas, this.marks);
    const room = new ResizeObserver(() => this.resize());
    room.observe(host);
    const sharpness = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    const sharpnessChanged = () => this.resize();
    sharpness.addEventListener('change', sharpnessChanged);
    this.stops.push(
      () => sharpness.removeEventListener('change', sharpnessChanged),
      () => room.disconnect(),
      picture.subscribe(() => this.tookFrame()),
      listenForGestures(host, {
        pan: (dx, dy) => this.pan(dx, dy),
        zoom: (px, py, factor) => this.zoom(factor, px, py),
        click: (px, py) => this.events.pick(this.scene() && nearest(this.scene() as Scene, px, py)),
      }),
    );
    this.resize();
  }

  get kind(): RendererKind {
    return this.renderer.kind;
  }

  get view(): View {
    return this.current;
  }

  want(wish: MapWish): void {
    if (wish.palette !== this.wish.palette) this.groundOld = true;
    this.wish = wish;
    this.lookOld = true;
    this.invalidate();
  }

  home(): void {
    this.isHome = true;
    this.setView(homeView(this.run.field, this.size, this.run.scaleFactor));
  }

  pan(dx: number, dy: number): void {
    this.isHome = false;
    this.events.panned();
    this.setView(panBy(this.current, this.run.field, this.size, dx, dy));
  }

  zoom(factor: number, px = this.size.width / 2, py = this.size.height / 2): void {
    this.isHome = false;
    this.setView(zoomAt(this.current, this.run.field, this.size, px, py, factor));
  }

  /** Puts a slot in the middle, near enough to tell it from others. */
  centre(slot: number): void {
    const scene = this.scene();
    const place = scene && fieldPlace(scene, slot);
    if (place === undefined) return;
    this.isHome = false;
    const scale = Math.max(this.current.scale, 2 * fitScale(this.run.field, this.size));
    this.setView(clampView({ ...place, scale }, this.run.field, this.size));
  }

  /** The person next to the selected one, or to the middle of the map, in a direction. */
  neighbour(direction: Direction): number | undefined {
    const scene = this.scene();
    if (scene === undefined) return undefined;
    const { selected } = this.wish;
    const from = (selected === undefined ? undefined : fieldPlace(scene, selected)) ?? this.current;
    return nearestTowards(scene, from, direction, selected);
  }

  /** The person nearest to the middle of the map, however far. */
  nearestToMiddle(): number | undefined {
    const scene = this.scene();
    return scene && nearest(scene, this.size.width / 2, this.size.height / 2, Number.POSITIVE_INFINITY);
  }

  /** Where a slot is on the map, CSS px from its upper left corner. */
  screen(slot: number): Point | undefined {
    const scene = this.scene();
    return scene && screenPlace(scene, slot);
  }

  /** The colour that people have at a place of the map, 'rrggbbaa'; for tests of what is really drawn. */
  colourAt({ x, y }: Point): string {
    this.drawNow();
    const pen = new OffscreenCanvas(1, 1).getContext('2d');
    pen?.drawImage(
      this.renderer.canvas,
      -Math.round(x * devicePixelRatio),
      -Math.round(y * devicePixelRatio),
    );
    const colour = pen?.getImageData(0, 0, 1, 1).data ?? [];
    return Array.from(colour, (part) => part.toString(16).padStart(2, '0')).join('');
  }

  dispose(): void {
    cancelAnimationFrame(this.request);
    clearTimeout(this.lookTimer);
    for (const stop of this.stops) stop();
    this.renderer.dispose();
    this.density.dispose();
    this.painter.dispose();
    this.host.replaceChildren();
  }

  private make(kind: RendererKind): MapRenderer {
    const renderer = makeRenderer(kind, {
      field: this.run.field,
      painter: this.painter,
      onLost: () => this.replaceRenderer(),
    });
    for (const canvas of [this.ground, this.density.canvas, renderer.canvas, this.marks])
      canvas.setAttribute('aria-hidden', 'true');
    renderer.canvas.dataset.renderer = renderer.kind;
    return renderer;
  }

  private replaceRenderer(): void {
    const old = this.renderer;
    this.renderer = this.make('canvas');
    this.host.replaceChild(this.renderer.canvas, old.canvas);
    old.dispose();
    this.frameOld = true;
    this.lookOld = true;
    this.fitCanvases();
    this.invalidate();
  }

  private scene(): Scene | undefined {
    const { current, previous } = this.picture;
    if (current === undefined) return undefined;
    const { field } = this.run;
    return {
      previous,
      current,
      progress: this.progress(),
      view: this.current,
      size: this.size,
      field,
      shown: this.wish.shown,
    };
  }

  private progress(): number {
    return this.stillness.matches ? 1 : this.picture.progress();
  }

  private tookFrame(): void {
    this.frameOld = true;
    this.invalidate();
  }

  private setView(view: View): void {
    this.current = view;
    this.groundOld = true;
    this.countedAt = 0;
    this.events.view(view, this.isHome);
    this.invalidate();
  }

  private resize(): void {
    const box = this.host.getBoundingClientRect();
    this.size = { width: Math.max(1, box.width), height: Math.max(1, box.height) };
    this.fitCanvases();
    if (this.isHome) this.home();
    else this.setView(clampView(this.current, this.run.field, this.size));
    this.drawNow();
  }

  private fitCanvases(): void {
    const ratio = devicePixelRatio;
    for (const canvas of [this.ground, this.marks]) {
      canvas.width = Math.round(this.size.width * ratio);
      canvas.height = Math.round(this.size.height * ratio);
    }
    this.groundOld = true;
  }

  private invalidate(): void {
    if (this.request === 0) this.request = requestAnimationFrame(() => this.drawNow());
  }

  private drawNow(): void {
    cancelAnimationFrame(this.request);
    this.request = 0;
    const began = performance.now();
    const { current, previous } = this.picture;
    const progress = this.progress();
    if (this.wish.follow) this.followSelected(progress);
    this.updateLook();
    this.lookAround();
    this.drawGround();
    const isNew =
      this.crowded && current !== undefined
        ? this.drawDensity(previous, current, progress)
        : this.drawPeople(previous, current, progress);
    if (isNew) this.pictures += 1;
    this.drawMarks();
    this.draws += 1;
    this.timings.push(performance.now() - began);
    if (this.timings.length > TIMINGS_MAX) this.timings.shift();
    const glides = progress < 1 && (!this.crowded || previous?.density !== undefined);
    const slow = this.watch.drew(began, glides && !this.crowded);
    if (slow && this.renderer.kind === 'webgl' && this.options.renderer === undefined) this.replaceRenderer();
    if (glides) this.invalidate();
  }

  private followSelected(progress: number): void {
    const { current, previous } = this.picture;
    if (this.wish.selected === undefined || current === undefined) return;
    const index = indexOf(current, this.wish.selected);
    const place = index === undefined ? undefined : placeOf(previous, current, index, progress);
    if (place === undefined) return;
    const { field } = this.run;
    this.current = {
      ...this.current,
      x: (place.x * field.width) / 65535,
      y: (place.y * field.height) / 65535,
    };
    this.isHome = false;
    this.groundOld = true;
  }

  private updateLook(): void {
    const scene = this.scene();
    const count = scene?.current.count ?? 0;
    const grid = scene?.current.density;
    const now = performance.now();
    if (grid !== undefined) {
      this.inView = grid.inView;
    } else if (count >= COUNT_FREE && !this.crowded && this.renderer.inView !== undefined) {
      this.inView = this.renderer.inView;
    } else if (scene !== undefined && (count < COUNT_FREE || now - this.countedAt > COUNT_MS)) {
      this.inView = count <= DETAILED_MAX ? count : countInView(scene);
      this.countedAt = now;
    }
    const { field, scaleFactor, infectionRadius } = this.run;
    const home = homeView(field, this.size, scaleFactor);
    const all = scene?.current.slots === undefined ? count : scene.current.figures.total;
    const people = { count: all, inView: this.inView };
    const sizes = sizesFor(this.wish.style, this.current, home, field, people, {
      scaleFactor,
      infectionRadius,
    });
    const old = this.sizes;
    const crowded =
      grid !== undefined || (this.options.density && isCrowded(this.inView, this.size, this.crowded));
    if (crowded !== this.crowded) this.lookOld = true;
    this.crowded = crowded;
    const same = old?.style === sizes.style && old.dotPx === sizes.dotPx && old.ringPx === sizes.ringPx;
    const effort = effortFor(this.inView, sizes.style, this.effort);
    const asEasy = effort.apart === this.effort.apart && effort.squares === this.effort.squares;
    if (same && asEasy && !this.lookOld) return;
    this.effort = effort;
    this.sizes = sizes;
    this.lookOld = false;
    const { palette, shown, isolated } = this.wish;
    this.renderer.mode({ ...sizes, palette, shown, isolated, effort });
    this.events.drawing(crowded ? 'density' : sizes.style, this.renderer.kind);
  }

  /** Says what of the field is looked at, when what is known of it is no longer enough. */
  private lookAround(): void {
    const { current } = this.picture;
    if (current === undefined || this.lookTimer !== undefined) return;
    const wait = this.lookedAt + LOOK_MS - performance.now();
    if (wait > 0) {
      this.lookTimer = setTimeout(() => {
        this.lookTimer = undefined;
        this.lookAround();
      }, wait);
      return;
    }
    const { field } = this.run;
    const { selected, isolated } = this.wish;
    const keep = [...(selected === undefined ? [] : [selected]), ...(isolated ?? [])];
    const people = this.options.density ? crowdFrom(this.size, this.crowded) : Number.POSITIVE_INFINITY;
    const around = windowAround(this.current, this.size, field, people, keep);
    const next =
      current.figures.total < WINDOW_FROM || (isEverything(around) && !this.options.density)
        ? undefined
        : around;
    const old = this.window;
    const enough =
      next === undefined
        ? old === undefined
        : old !== undefined && isEnough(old, next, this.current, this.size, field);
    if (enough) return;
    this.window = next;
    this.lookedAt = performance.now();
    this.events.look(next);
  }

  private drawPeople(previous: Frame | undefined, current: Frame | undefined, progress: number): boolean {
    if (this.frameOld && current !== undefined) this.renderer.frame(previous, current);
    this.frameOld = false;
    this.renderer.view(this.current, this.size, devicePixelRatio);
    const isNew = this.renderer.draw(progress);
    // A density stays until people can be seen.
    if (isNew) {
      this.density.hide();
      this.renderer.canvas.style.visibility = 'visible';
    }
    return isNew;
  }

  private drawDensity(previous: Frame | undefined, current: Frame, progress: number): boolean {
    const { palette, shown } = this.wish;
    const { field } = this.run;
    const { current: view, size } = this;
    const isNew = this.density.draw({ previous, current, progress, view, size, field, palette, shown });
    if (isNew) this.renderer.canvas.style.visibility = 'hidden';
    return isNew;
  }

  private drawGround(): void {
    if (!this.groundOld) return;
    this.groundOld = false;
    const pen = this.ground.getContext('2d');
    const { palette } = this.wish;
    if (pen !== null) {
      drawGround(pen, devicePixelRatio, {
        view: this.current,
        size: this.size,
        field: this.run.field,
        palette,
      });
    }
  }

  private drawMarks(): void {
    const { selected, palette } = this.wish;
    const at = selected === undefined ? undefined : this.screen(selected);
    // An empty canvas over everything would be laid over it again for each picture.
    this.marks.style.visibility = at === undefined ? 'hidden' : 'visible';
    const pen = at === undefined ? null : this.marks.getContext('2d');
    if (pen !== null)
      drawSelection(pen, devicePixelRatio, { size: this.size, palette }, at, this.sizes?.dotPx ?? 4);
  }
}
