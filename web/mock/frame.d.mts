export function encodeFrame(
  picture: {
    moment: number;
    timeMs: number;
    epoch: number;
    latest: number;
    figures: { total: number; zombies: number; deaths: number; dead_zombies: number; immune: number };
    xy: Uint16Array;
    states: Uint8Array;
  },
  options?: { seq?: number; request?: number },
): Uint8Array;
