// Writes the frame of docs/protocol.md (64-byte header, then positions and states).

const HEADER = 64;

/** @param {{moment:number,timeMs:number,epoch:number,figures:object,latest:number,xy:Uint16Array,states:Uint8Array}} picture */
export function encodeFrame(picture, { seq = 1, request = 0 } = {}) {
  const count = picture.states.length;
  const bytes = new Uint8Array(HEADER + 4 * count + Math.ceil(count / 4) * 4);
  const head = new DataView(bytes.buffer);
  bytes.set([0x43, 0x5a, 0x46, 0x31, 0, 1]);
  head.setUint16(6, request > 0 ? 1 : 0, true);
  head.setBigUint64(8, BigInt(picture.moment), true);
  head.setBigInt64(16, BigInt(Math.round(picture.timeMs)), true);
  const { total, zombies, deaths, dead_zombies, immune } = picture.figures;
  const words = [
    count,
    request,
    picture.epoch,
    total,
    zombies,
    deaths,
    dead_zombies,
    immune,
    seq,
    picture.latest,
  ];
  words.forEach((word, index) => {
    head.setUint32(24 + 4 * index, word, true);
  });
  bytes.set(new Uint8Array(picture.xy.buffer, picture.xy.byteOffset, 4 * count), HEADER);
  bytes.set(picture.states, HEADER + 4 * count);
  return bytes;
}
