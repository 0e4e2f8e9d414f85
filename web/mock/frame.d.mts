export interface Drawn {
  moment: number;
  timeMs: number;
  epoch: number;
  latest: number;
  figures: { total: number; zombies: number; deaths: number; dead_zombies: number; immune: number };
  xy: Uint16Array;
  states: Uint8Array;
}

export function encodeFrame(picture: Drawn, options?: { seq?: number; request?: number }): Uint8Array;

export function encodeWindow(
  picture: Drawn,
  window: { area: number[]; levels: number[]; people: number; keep?: number[] },
  before?: Drawn,
  options?: { seq?: number; request?: number },
): Uint8Array;
