import { type Frame, indexOf } from '../live/frame';
import { CATEGORIES } from '../ui/palette';
import { categoryOf, FAINT, type Look, type MapRenderer, type RendererOptions } from './renderer';
import { FRAGMENT, VERTEX } from './shaders';
import { atlasOf, makeSprites, type Sprites } from './sprites';
import type { Size, View } from './view';

/** A lost context that has not come back by then is given up. */
const RESTORE_MS_MAX = 3000;
const UNIFORMS = [
  'u_progress',
  'u_scale',
  'u_offset',
  'u_size',
  'u_category',
  'u_atlas',
  'u_cell',
  'u_opacity',
] as const;
type Uniforms = Record<(typeof UNIFORMS)[number], WebGLUniformLocation | null>;

/** Positions and states of one frame on the GPU. */
interface Columns {
  xy: WebGLBuffer;
  states: WebGLBuffer;
  frame: Frame | undefined;
  capacity: number;
}

interface Gpu {
  gl: WebGL2RenderingContext;
  uniforms: Uniforms;
  from: Columns;
  to: Columns;
  people: WebGLTexture;
  rings: WebGLTexture;
}

/** People as point sprites; the glide is reckoned in the shader and costs no work per person here. */
export class WebglRenderer implements MapRenderer {
  readonly kind = 'webgl';
  readonly canvas = document.createElement('canvas');
  private gpu: Gpu | undefined;
  private frames: { previous: Frame | undefined; current: Frame } | undefined;
  private look: Look | undefined;
  private sprites: Sprites | undefined;
  private spritesOld = true;
  private where: { view: View; size: Size; pixelRatio: number } | undefined;
  private lostTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: RendererOptions) {
    this.canvas.addEventListener('webglcontextlost', this.lost);
    this.canvas.addEventListener('webglcontextrestored', this.restored);
    this.gpu = begin(this.canvas);
    if (this.gpu === undefined) throw new Error('no WebGL2');
  }

  frame(previous: Frame | undefined, current: Frame): void {
    this.frames = { previous, current };
    const gpu = this.gpu;
    if (gpu === undefined) return;
    if (previous !== undefined && gpu.to.frame === previous) {
      [gpu.from, gpu.to] = [gpu.to, gpu.from];
      upload(gpu.gl, gpu.to, current, 0);
    } else {
      if (gpu.to.frame !== current) upload(gpu.gl, gpu.to, current, 0);
      if (previous !== undefined && gpu.from.frame !== previous) upload(gpu.gl, gpu.from, previous, 0);
    }
    // Whoever was not there in the frame before comes from where they are.
    if (previous !== undefined && previous.count < current.count) fillUp(gpu.gl, gpu.from, previous, current);
  }

  view(view: View, size: Size, pixelRatio: number): void {
    const width = Math.round(size.width * pixelRatio);
    const height = Math.round(size.height * pixelRatio);
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    if (this.where?.pixelRatio !== pixelRatio) this.spritesOld = true;
    this.where = { view, size, pixelRatio };
  }

  mode(look: Look): void {
    this.look = look;
    this.spritesOld = true;
  }

  draw(progress: number): boolean {
    const { gpu, look, where, frames } = this;
    if (gpu === undefined || look === undefined || where === undefined) return false;
    const { gl, uniforms } = gpu;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (frames === undefined) return true;
    const sprites = this.upToDateSprites(gpu, look, where.pixelRatio);
    const { view, size } = where;
    const { field } = this.options;
    const sx = (2 * view.scale) / size.width;
    const sy = (2 * view.scale) / size.height;
    gl.uniform2f(uniforms.u_scale, sx * field.width, sy * field.height);
    gl.uniform2f(uniforms.u_offset, -view.x * sx, -view.y * sy);
    const glides = frames.previous !== undefined && progress < 1;
    gl.uniform1f(uniforms.u_progress, glides ? progress : 1);
    point(gl, glides ? gpu.from : gpu.to, gpu.to);
    const opacity = look.isolated === undefined ? 1 : FAINT;
    if (sprites.rings.size > 0) this.pass(gpu, look, gpu.rings, sprites.ring, opacity);
    this.pass(gpu, look, gpu.people, sprites.person, opacity);
    if (look.isolated !== undefined) this.isolated(gpu, look, sprites, frames.current);
    return true;
  }

  dispose(): void {
    clearTimeout(this.lostTimer);
    this.canvas.removeEventListener('webglcontextlost', this.lost);
    this.canvas.removeEventListener('webglcontextrestored', this.restored);
    this.gpu?.gl.getExtension('WEBGL_lose_context')?.loseContext();
    this.gpu = undefined;
  }

  private pass(gpu: Gpu, look: Look, atlas: WebGLTexture, side: number, opacity: number): void {
    const { gl, uniforms } = gpu;
    gl.bindTexture(gl.TEXTURE_2D, atlas);
    gl.uniform1f(uniforms.u_size, side);
    gl.uniform1f(uniforms.u_opacity, opacity);
    CATEGORIES.forEach((category, index) => {
      if (!look.shown.has(category)) return;
      gl.uniform1ui(uniforms.u_category, index);
      gl.uniform1f(uniforms.u_cell, index);
      gl.drawArrays(gl.POINTS, 0, gpu.to.frame?.count ?? 0);
    });
  }

  private isolated(gpu: Gpu, look: Look, sprites: Sprites, frame: Frame): void {
    const { gl, uniforms } = gpu;
    gl.uniform1f(uniforms.u_opacity, 1);
    for (const slot of look.isolated ?? []) {
      const index = indexOf(frame, slot);
      const category = index === undefined ? undefined : categoryOf(frame.states[index] as number);
      if (index === undefined || category === undefined) continue;
      const cell = CATEGORIES.indexOf(category);
      gl.uniform1ui(uniforms.u_category, cell);
      gl.uniform1f(uniforms.u_cell, cell);
      gl.bindTexture(gl.TEXTURE_2D, gpu.people);
      gl.uniform1f(uniforms.u_size, sprites.person);
      gl.drawArrays(gl.POINTS, index, 1);
    }
  }

  private upToDateSprites(gpu: Gpu, look: Look, pixelRatio: number): Sprites {
    if (this.sprites !== undefined && !this.spritesOld) return this.sprites;
    const sprites = makeSprites(look, pixelRatio);
    fill(gpu.gl, gpu.people, atlasOf(sprites.people, sprites.person));
    if (sprites.rings.size > 0) fill(gpu.gl, gpu.rings, atlasOf(sprites.rings, sprites.ring));
    this.sprites = sprites;
    this.spritesOld = false;
    return sprites;
  }

  private readonly lost = (event: Event): void => {
    event.preventDefault();
    this.gpu = undefined;
    this.lostTimer = setTimeout(() => this.options.onLost(), RESTORE_MS_MAX);
  };

  private readonly restored = (): void => {
    clearTimeout(this.lostTimer);
    this.gpu = begin(this.canvas);
    this.spritesOld = true;
    if (this.gpu === undefined) {
      this.options.onLost();
      return;
    }
    if (this.frames !== undefined) this.frame(this.frames.previous, this.frames.current);
    this.draw(1);
  };
}

function begin(canvas: HTMLCanvasElement): Gpu | undefined {
  const gl = canvas.getContext('webgl2', {
    alpha: true,
    antialias: false,
    depth: false,
  });
  if (gl === null) return undefined;
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(kind);
    if (shader === null) return undefined;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return undefined;
  // biome-ignore lint/correctness/useHookAtTopLevel: WebGL's, not a hook of React.
  gl.useProgram(program);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
  for (let location = 0; location < 4; location += 1) gl.enableVertexAttribArray(location);
  const uniforms = Object.fromEntries(
    UNIFORMS.map((name) => [name, gl.getUniformLocation(program, name)]),
  ) as Uniforms;
  const columns = (): Columns => ({
    xy: gl.createBuffer(),
    states: gl.createBuffer(),
    frame: undefined,
    capacity: 0,
  });
  return {
    gl,
    uniforms,
    from: columns(),
    to: columns(),
    people: gl.createTexture(),
    rings: gl.createTexture(),
  };
}

/** Copies a frame's columns to the GPU, with room for later arrivals. */
function upload(gl: WebGL2RenderingContext, columns: Columns, frame: Frame, spare: number): void {
  const need = frame.count + spare;
  const grow = need > columns.capacity;
  if (grow) columns.capacity = Math.ceil(need * 1.25) + 64;
  gl.bindBuffer(gl.ARRAY_BUFFER, columns.xy);
  if (grow) gl.bufferData(gl.ARRAY_BUFFER, columns.capacity * 4, gl.DYNAMIC_DRAW);
  gl.bufferSubData(gl.ARRAY_BUFFER, 0, frame.xy);
  gl.bindBuffer(gl.ARRAY_BUFFER, columns.states);
  if (grow) gl.bufferData(gl.ARRAY_BUFFER, columns.capacity, gl.DYNAMIC_DRAW);
  gl.bufferSubData(gl.ARRAY_BUFFER, 0, frame.states);
  columns.frame = frame;
}

/** Gives the older columns a value for each slot that only the newer frame has. */
function fillUp(gl: WebGL2RenderingContext, columns: Columns, older: Frame, newer: Frame): void {
  if (columns.capacity < newer.count) upload(gl, columns, older, newer.count - older.count);
  gl.bindBuffer(gl.ARRAY_BUFFER, columns.xy);
  gl.bufferSubData(gl.ARRAY_BUFFER, older.count * 4, newer.xy.subarray(2 * older.count));
  gl.bindBuffer(gl.ARRAY_BUFFER, columns.states);
  gl.bufferSubData(gl.ARRAY_BUFFER, older.count, newer.states.subarray(older.count));
}

function point(gl: WebGL2RenderingContext, from: Columns, to: Columns): void {
  for (const [location, columns] of [from, to].entries()) {
    gl.bindBuffer(gl.ARRAY_BUFFER, columns.xy);
    gl.vertexAttribPointer(location, 2, gl.UNSIGNED_SHORT, true, 4, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, columns.states);
    gl.vertexAttribIPointer(location + 2, 1, gl.UNSIGNED_BYTE, 1, 0);
  }
}

function fill(gl: WebGL2RenderingContext, texture: WebGLTexture, picture: OffscreenCanvas): void {
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
  for (const [name, value] of [
    [gl.TEXTURE_MIN_FILTER, gl.LINEAR],
    [gl.TEXTURE_MAG_FILTER, gl.LINEAR],
    [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE],
    [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE],
  ] as const) {
    gl.texParameteri(gl.TEXTURE_2D, name, value);
  }
}
