import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { encodeFrame } from '../../mock/frame.mjs';
import { COLUMNS, type Columns } from './series';
import { Session } from './session';

/** A server's end of the live connection: answers seeks at once, pushes when told to. */
class FakeSocket {
  static newest: FakeSocket;
  readyState = 1;
  onopen?: () => void;
  onmessage?: (message: { data: unknown }) => void;
  onclose?: () => void;
  latest = 100;
  seq = 0;
  constructor() {
    FakeSocket.newest = this;
  }
  frame(moment: number, request = 0) {
    this.seq += 1;
    const figures = { total: 1, zombies: 0, deaths: 0, dead_zombies: 0, immune: 0 };
    const people = { xy: new Uint16Array(2), states: new Uint8Array(1) };
    const picture = { moment, timeMs: timeOf(moment), epoch: 1, latest: this.latest, figures, ...people };
    this.onmessage?.({ data: encodeFrame(picture, { seq: this.seq, request }).buffer });
  }
  send(text: string) {
    const said = JSON.parse(text);
    if (said.type === 'seek') queueMicrotask(() => this.frame(said.moment, said.request));
    if (said.type === 'live') queueMicrotask(() => this.frame(this.latest));
  }
  close() {}
}

const timeOf = (moment: number) => 1_000_000 + moment * 500;
const rows: Columns = {
  ...(Object.fromEntries(COLUMNS.map((name) => [name, [0, 1]])) as Columns),
  moment: [0, 100],
  time_ms: [timeOf(0), timeOf(100)],
};
const run = { id: 'r', started_ms: timeOf(0), last_ms: timeOf(100), moments: 101, nodes: 1 };
const source = { run: async () => run, statistics: async () => rows, liveUrl: () => 'ws://here' };
const begin = (options = {}) =>
  new Session('r', source, { ...options, openSocket: () => new FakeSocket() as unknown as WebSocket });
const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

let session: ReturnType<typeof begin>;
const now = () => session.store.getState();

beforeEach(async () => {
  vi.useFakeTimers();
  session = begin();
  FakeSocket.newest.onmessage?.({ data: JSON.stringify({ type: 'hello', run }) });
  FakeSocket.newest.frame(100);
  await settle(200);
});
afterEach(() => {
  session.close();
  vi.useRealTimers();
});

test('it begins live with the newest moment', () => {
  expect(now()).toMatchObject({
    mode: 'live',
    moment: 100,
    wanted: 100,
    latest: 100,
    latestMs: timeOf(100),
    hasPicture: true,
  });
});

test('pausing keeps the place while recording goes on behind it', async () => {
  session.pause();
  FakeSocket.newest.latest = 130;
  await settle(200);
  expect(now()).toMatchObject({ mode: 'paused', moment: 100, wanted: 100, latest: 130 });
});

test('the answer to a seek does not make an old time the newest', async () => {
  FakeSocket.newest.latest = 120;
  session.seek(3);
  await settle(200);
  expect(now()).toMatchObject({ moment: 3, timeMs: timeOf(3), latest: 120, latestMs: timeOf(100) });
});

test('steps and times stay within the run', async () => {
  session.seek(0);
  session.step(-5);
  expect(now().wanted).toBe(0);
  session.skip(2000);
  expect(now().wanted).toBe(4);
  session.seek(1e9);
  expect(now().wanted).toBe(100);
});

test('playing goes at its speed and stops at the end of a run that grows no more', async () => {
  session.seek(0);
  session.setSpeed(10);
  session.play();
  await settle(1000);
  expect(now().mode).toBe('playing');
  expect(now().moment).toBeGreaterThan(15);
  expect(now().moment).toBeLessThan(25);
  await settle(6000);
  expect(now()).toMatchObject({ mode: 'paused', moment: 100 });
  session.play();
  await settle(300);
  expect(now().moment).toBeLessThan(20);
});

test('playing begins where it is, though the times of the run are not there yet', async () => {
  let told = (_: Columns) => {};
  const statistics = () => new Promise<Columns>((tell) => (told = tell));
  const slow = new Session(
    'slow',
    { ...source, statistics },
    { moment: 90, openSocket: () => new FakeSocket() as unknown as WebSocket },
  );
  FakeSocket.newest.onmessage?.({ data: JSON.stringify({ type: 'hello', run }) });
  await settle(200);
  slow.play();
  await settle(400);
  told(rows);
  await settle(1000);
  expect(slow.store.getState()).toMatchObject({ mode: 'playing', wanted: 92 });
  slow.close();
});

test('a step forward does not lead back where something was held up on its way', async () => {
  const heldUp = { ...rows, moment: [0, 1, 2, 3, 100], time_ms: [0, 8, 2, 8, 100].map(timeOf) };
  const visit = new Session(
    'held-up',
    { ...source, statistics: async () => heldUp },
    { moment: 2, openSocket: () => new FakeSocket() as unknown as WebSocket },
  );
  FakeSocket.newest.onmessage?.({ data: JSON.stringify({ type: 'hello', run }) });
  await settle(200);
  visit.skip(1000);
  expect(visit.store.getState().wanted).toBe(3);
  visit.close();
});

test('going live is one act', async () => {
  session.seek(5);
  await settle(200);
  session.goLive();
  await settle(200);
  expect(now()).toMatchObject({ mode: 'live', moment: 100 });
});

test('a lost connection is told once and forgotten when it is back', async () => {
  FakeSocket.newest.onclose?.();
  expect(now().awaySince).toBeTypeOf('number');
  await settle(1500);
  FakeSocket.newest.onmessage?.({ data: JSON.stringify({ type: 'hello', run }) });
  await settle(2500);
  expect(now().awaySince).toBeUndefined();
});

test('speed takes any number within its bounds, and presets one after the other', () => {
  session.setSpeed(0.7);
  session.changeSpeed(1);
  expect(now().speed).toBe(1);
  session.changeSpeed(-1);
  expect(now().speed).toBe(0.5);
  session.setSpeed(Number.NaN);
  expect(now().speed).toBe(0.5);
  session.setSpeed(1e9);
  expect(now().speed).toBe(1000);
});

test('a fork begins where it left the other run: a link, the first key and a replay lead no further back', async () => {
  const fork = { ...run, first_moment: 40 };
  const paused = new Session(
    'fork',
    { ...source, run: async () => fork },
    { moment: 3, openSocket: () => new FakeSocket() as unknown as WebSocket },
  );
  FakeSocket.newest.onmessage?.({ data: JSON.stringify({ type: 'hello', run: fork }) });
  await settle(200);
  const state = () => paused.store.getState();
  expect(state()).toMatchObject({ first: 40, wanted: 40, moment: 40, mode: 'paused' });
  paused.seek(0);
  expect(state().wanted).toBe(40);
  paused.step(-1);
  expect(state().wanted).toBe(40);
  paused.seek(100);
  await settle(200);
  paused.play();
  expect(state()).toMatchObject({ mode: 'playing', wanted: 40 });
  paused.close();
});

test('the word that a moment is not there counts only while it is asked for', async () => {
  const fork = { ...run, first_moment: 40 };
  const opened = new Session(
    'fork',
    { ...source, run: async () => fork },
    { moment: 3, openSocket: () => new FakeSocket() as unknown as WebSocket },
  );
  const { newest } = FakeSocket;
  // It answers seeks from the fork's beginning on, as the server does.
  newest.send = (text: string) => {
    const said = JSON.parse(text);
    if (said.type !== 'seek') return;
    queueMicrotask(() =>
      said.moment < 40
        ? newest.onmessage?.({ data: JSON.stringify({ type: 'missing', request: said.request }) })
        : newest.frame(said.moment, said.request),
    );
  };
  newest.onopen?.();
  newest.onmessage?.({ data: JSON.stringify({ type: 'hello', run: fork }) });
  await settle(200);
  expect(opened.store.getState()).toMatchObject({ mode: 'paused', wanted: 40, moment: 40 });
  opened.close();
});
