import { CanvasRenderer } from './canvas';
import type { MapRenderer, RendererKind, RendererOptions } from './renderer';
import { WebglRenderer } from './webgl';

/** Names under which a "GPU" is reckoned by the processor; there the image buffer is faster by far. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|basic render|software/i;
/** A back end whose median draw is slower than this over the first draws is replaced. */
const SLOW_MS = 50;
const SAMPLES = 20;

/** The visitor's own choice in the address, `?renderer=canvas|webgl`. */
export function rendererInAddress(search: string): RendererKind | undefined {
  const wish = new URLSearchParams(search).get('renderer');
  return wish === 'canvas' || wish === 'webgl' ? wish : undefined;
}

/** `?density=off`: dots even where they hide each other; to measure the back ends. */
export const dotsInAddress = (search: string): boolean =>
  new URLSearchParams(search).get('density') === 'off';

/** The name of what draws WebGL here; undefined when nothing does. */
export function gpuName(): string | undefined {
  const gl = document.createElement('canvas').getContext('webgl2');
  if (gl === null) return undefined;
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const name = String(gl.getParameter(info === null ? gl.RENDERER : info.UNMASKED_RENDERER_WEBGL));
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return name;
}

export function kindFor(wish: RendererKind | undefined, gpu: () => string | undefined): RendererKind {
  if (wish !== undefined) return wish;
  const name = gpu();
  return name === undefined || SOFTWARE.test(name) ? 'canvas' : 'webgl';
}

export function makeRenderer(kind: RendererKind, options: RendererOptions): MapRenderer {
  if (kind === 'webgl') {
    try {
      return new WebglRenderer(options);
    } catch {
      // Nothing is lost: the other back end draws the same.
    }
  }
  return new CanvasRenderer(options);
}

/** Watches the first draws of a glide and tells when they are too slow. */
export class SlownessWatch {
  private readonly gaps: number[] = [];
  private last: number | undefined;

  /** Takes the time of a draw; true when enough draws have been seen and their median is slow. */
  drew(now: number, glides: boolean): boolean {
    const gap = this.last === undefined ? undefined : now - this.last;
    this.last = glides ? now : undefined;
    // A second and more is a page in the background, not a slow machine.
    if (gap === undefined || gap > 1000 || this.gaps.length >= SAMPLES) return false;
    this.gaps.push(gap);
    if (this.gaps.length < SAMPLES) return false;
    const sorted = [...this.gaps].sort((a, b) => a - b);
    return (sorted[SAMPLES / 2] as number) > SLOW_MS;
  }
}
