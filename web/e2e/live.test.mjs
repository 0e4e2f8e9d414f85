// The live connection, listened to between page and server: frames, acknowledgements, seeks.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hasPicture, look, openBrowser, openSite, until } from './browser.mjs';

/** The server keeps so many frames on the way to a visitor. */
const IN_FLIGHT_MAX = 2;
const QUIET_MS = 1500;
let site;
let browser;
let page;
/** What went over the wire. */
const wire = { said: [], frames: 0, holding: false, server: undefined };

before(async () => {
  site = await openSite({ people: 30, history: 30, stepMs: 100 });
  browser = await openBrowser();
  page = browser.page;
  await page.routeWebSocket(/\/live$/, (visitor) => {
    const server = visitor.connectToServer();
    wire.server = server;
    visitor.onMessage((text) => {
      const message = JSON.parse(text);
      wire.said.push(message);
      if (!(wire.holding && message.type === 'ack')) server.send(text);
    });
    server.onMessage((message) => {
      if (typeof message !== 'string') wire.frames += 1;
      visitor.send(message);
    });
  });
  await page.goto(`${site.url}/?renderer=canvas`);
  await hasPicture(page);
});
after(async () => {
  await browser.close();
  await site.close();
});

const acks = () => wire.said.filter(({ type }) => type === 'ack').map(({ seq }) => seq);

test('each frame is acknowledged by its number, in order', async () => {
  const from = wire.frames;
  const end = Date.now() + 20_000;
  while (wire.frames < from + 5) {
    assert.ok(Date.now() < end, 'no frames come');
    await page.waitForTimeout(50);
  }
  await page.waitForTimeout(200);
  const numbers = acks();
  assert.ok(Math.abs(numbers.length - wire.frames) <= 1, `${numbers.length} of ${wire.frames}`);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => numbers[0] + index),
  );
});

test('people are columns on the message itself: nothing was copied', async () => {
  const { shared, aligned, counts } = await page.evaluate(() => {
    const { xy, states, count } = window.__coronaz.frame;
    return {
      shared: xy.buffer === states.buffer,
      aligned: xy.byteOffset % 4 === 0 && states.byteOffset % 4 === 0,
      counts: [xy.constructor.name, xy.length / 2 - count, states.constructor.name, states.length - count],
    };
  });
  assert.ok(shared && aligned);
  assert.deepEqual(counts, ['Uint16Array', 0, 'Uint8Array', 0]);
});

test('with two frames on the way the server waits, and goes on with the newest', async (t) => {
  if (!(await look(page)).growing && process.env.CORONAZ_URL) return t.skip('the newest run is over');
  wire.holding = true;
  const from = wire.frames;
  await page.waitForTimeout(QUIET_MS);
  assert.ok(wire.frames - from <= IN_FLIGHT_MAX, `${wire.frames - from} frames without an answer`);
  const { moment } = await look(page);
  const { run } = await look(page);
  const { moments } = await (await fetch(`${site.url}/api/v1/runs/${run}`)).json();
  wire.holding = false;
  wire.server.send(JSON.stringify({ type: 'ack', seq: acks().at(-1) }));
  await until(page, (k) => window.__coronaz.moment > k, moment);
  await until(page, (k) => window.__coronaz.moment >= k, moments - 1);
});

test('of many seeks only the newest is shown, and few are asked for', async () => {
  await page.getByRole('slider', { name: 'Day' }).focus();
  await page.keyboard.press('Home');
  await until(page, () => window.__coronaz.moment === 0);
  const before = wire.said.length;
  await Promise.all(Array.from({ length: 15 }, () => page.keyboard.press('ArrowRight')));
  await until(
    page,
    () =>
      window.__coronaz.wanted === 15 &&
      window.__coronaz.frame.moment === 15 &&
      window.__coronaz.moment === 15,
  );
  const seeks = wire.said.slice(before).filter(({ type }) => type === 'seek');
  assert.ok(seeks.length <= 15 && seeks.at(-1).moment === 15, JSON.stringify(seeks));
});

test('nothing on the page complained', () => {
  assert.deepEqual(browser.errors, []);
});
