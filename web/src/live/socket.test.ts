import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { encodeFrame } from '../../mock/frame.mjs';
import { LiveSocket } from './socket';

class FakeSocket {
  static all: FakeSocket[] = [];
  readyState = 0;
  binaryType = '';
  sent: { type: string; moment?: number; request?: number; seq?: number }[] = [];
  onopen?: () => void;
  onmessage?: (message: { data: unknown }) => void;
  onclose?: () => void;
  constructor() {
    FakeSocket.all.push(this);
  }
  opens() {
    this.readyState = 1;
    this.onopen?.();
  }
  says(message: object) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  frame(moment: number, request = 0, seq = 1) {
    const figures = { total: 0, zombies: 0, deaths: 0, dead_zombies: 0, immune: 0 };
    const empty = { xy: new Uint16Array(), states: new Uint8Array() };
    this.onmessage?.({
      data: encodeFrame({ moment, timeMs: 0, epoch: 1, latest: 9, figures, ...empty }, { seq, request })
        .buffer,
    });
  }
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
    this.onclose?.();
  }
}

const heard = {
  hello: vi.fn(),
  frame: vi.fn(),
  missing: vi.fn(),
  runsChanged: vi.fn(),
  up: vi.fn(),
  down: vi.fn(),
};
const connect = () => {
  const live = new LiveSocket('ws://somewhere', heard, () => new FakeSocket() as unknown as WebSocket);
  const socket = FakeSocket.all.at(-1) as FakeSocket;
  return { live, socket };
};
const seeks = (socket: FakeSocket) =>
  socket.sent.filter(({ type }) => type === 'seek').map(({ moment }) => moment);

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  FakeSocket.all = [];
});
afterEach(() => vi.useRealTimers());

test('each frame is acknowledged with its number', () => {
  const { socket } = connect();
  socket.opens();
  socket.frame(3, 0, 17);
  expect(socket.sent).toEqual([{ type: 'ack', seq: 17 }]);
  expect(heard.frame).toHaveBeenCalledOnce();
});

test('while a seek is unanswered only the newest of the others is sent after it', () => {
  const { live, socket } = connect();
  socket.opens();
  for (const moment of [1, 2, 3, 4]) live.seek(moment);
  expect(seeks(socket)).toEqual([1]);
  socket.frame(1, 1);
  expect(seeks(socket)).toEqual([1, 4]);
  socket.says({ type: 'missing', request: 4 });
  expect(heard.missing).toHaveBeenCalledWith(4);
});

test('a pushed frame that was under way when the visitor paused is not shown', () => {
  const { live, socket } = connect();
  socket.opens();
  live.seek(2);
  socket.frame(9, 0);
  expect(heard.frame).not.toHaveBeenCalled();
  socket.frame(2, 1);
  expect(heard.frame).toHaveBeenCalledOnce();
});

test('a connection that is lost comes back and asks again for what the visitor wants', () => {
  const { live, socket } = connect();
  socket.opens();
  socket.says({ type: 'hello', run: {} });
  live.seek(5);
  socket.close();
  expect(heard.down).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(1000);
  const second = FakeSocket.all.at(-1) as FakeSocket;
  expect(second).not.toBe(socket);
  second.opens();
  expect(seeks(second)).toEqual([5]);
});

test('a connection that never opens is given up and tried anew', () => {
  connect();
  vi.advanceTimersByTime(10_000);
  expect(FakeSocket.all.length).toBeGreaterThan(1);
});

test('closing it ends the attempts', () => {
  const { live } = connect();
  live.close();
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.all).toHaveLength(1);
  expect(heard.down).not.toHaveBeenCalled();
});
