// The server's WebSocket: pushes the newest moment, answers seeks, keeps at most two frames in flight.
import { WebSocketServer } from 'ws';
import { encodeFrame, encodeWindow, withNumbers } from './frame.mjs';

const IN_FLIGHT_MAX = 2;
/** Encoded pictures that a visitor's crowd repeats; more than the ring of one window, and of the one before it. */
const ENCODED_MAX = 20;

export function liveSockets(worldOf) {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const visitors = new Set();

  server.on('connection', (socket, world) => {
    const visitor = { socket, world, seq: 0, acked: 0, shown: -1, pushing: true };
    visitors.add(visitor);
    socket.on('close', () => visitors.delete(visitor));
    socket.on('message', (text) => hear(visitor, JSON.parse(text.toString())));
    socket.send(JSON.stringify({ type: 'hello', run: world.run }));
    push(visitor);
  });

  function send(visitor, moment, request) {
    const picture = visitor.world.picture(moment);
    if (!picture) {
      visitor.socket.send(JSON.stringify({ type: 'missing', request }));
      return;
    }
    visitor.seq += 1;
    if (visitor.last?.moment !== picture.moment) visitor.before = visitor.last;
    visitor.last = picture;
    const numbers = { seq: visitor.seq, request };
    visitor.socket.send(encoded(visitor, picture, numbers));
  }

  /** Of a crowd that repeats, a picture is encoded once and gets new numbers: the server is not what is measured. */
  function encoded(visitor, picture, numbers) {
    const { window, before } = visitor;
    const encode = () =>
      window ? encodeWindow(picture, window, before, numbers) : encodeFrame(picture, numbers);
    if (picture.phase === undefined) return encode();
    const key = JSON.stringify([picture.phase, window && [before?.phase, window]]);
    visitor.encoded ??= new Map();
    const bytes = visitor.encoded.get(key) ?? encode();
    visitor.encoded.delete(key);
    visitor.encoded.set(key, bytes);
    if (visitor.encoded.size > ENCODED_MAX) visitor.encoded.delete(visitor.encoded.keys().next().value);
    return withNumbers(bytes, picture, numbers);
  }

  function push(visitor) {
    const { world } = visitor;
    const room = visitor.seq - visitor.acked < IN_FLIGHT_MAX;
    if (!visitor.pushing || !room || visitor.shown === world.latest) return;
    visitor.shown = world.latest;
    send(visitor, world.latest, 0);
  }

  function hear(visitor, message) {
    if (message.type === 'ack') visitor.acked = message.seq;
    if (message.type === 'live') {
      visitor.pushing = true;
      visitor.shown = -1;
    }
    if (message.type === 'seek') {
      visitor.pushing = false;
      visitor.sought = message;
      send(visitor, message.moment, message.request);
    }
    if (message.type === 'view') {
      visitor.window = message.window;
      visitor.shown = -1;
      if (!visitor.pushing) send(visitor, visitor.sought.moment, visitor.sought.request);
    }
    push(visitor);
  }

  return {
    upgrade(request, socket, head) {
      const world = worldOf(request.url);
      if (!world) return socket.destroy();
      server.handleUpgrade(request, socket, head, (ws) => server.emit('connection', ws, world));
    },
    pushAll: () => visitors.forEach(push),
    tellAll(message) {
      for (const { socket } of visitors) socket.send(JSON.stringify(message));
    },
    cutAll() {
      for (const { socket } of visitors) socket.terminate();
    },
  };
}
