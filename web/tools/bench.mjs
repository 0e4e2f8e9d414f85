// node tools/bench.mjs [PEOPLE …]: how fast the map is, in this machine's headless browser, for each back end.
//
// A crowd of which everybody moves is sent by the mock server, encoded beforehand: 20 moments a second, and, without WebGL,
// one a second as a laboratory does. A picture is a draw that shows people other than before; the gaps are between their animation frames.
// Script is all that the page's own thread computes from one picture to the next, in CPU time, from the browser's trace.
// Beside it, in the same run, the original's way: an SVG circle for each person, moved one by one.
import { cpus, loadavg } from 'node:os';
import { hasPicture, openBrowser, until } from '../e2e/browser.mjs';
import { startMock } from '../mock/server.mjs';
import { benchSvg } from './bench-svg.mjs';
import { traceScript } from './trace.mjs';

const sizes = process.argv.slice(2).map(Number);
const WATCH_MS = 5000;
const SETTLES_MS = 2000;
const SEEKS = 8;
const VIEWPORT = { width: 1370, height: 970 };
const WAYS = ['renderer=canvas&density=off', 'renderer=webgl&density=off', ''];
const quantile = (values, q) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * q)];
const both = (values, digits = 1) =>
  [0.5, 0.95].map((q) => (quantile(values, q) ?? Number.NaN).toFixed(digits)).join(', ');
const load = () => `load ${loadavg()[0].toFixed(1)}`;

console.log(`${new Date().toISOString()} ${cpus().length} cores, ${load()}; each pair is p50, p95`);
for (const people of sizes.length > 0 ? sizes : [10_000, 100_000, 1_000_000]) {
  for (const hz of [20, 1]) {
    const mock = await startMock({ crowd: people, stepMs: 1000 / hz, history: 5, people: 5 });
    for (const way of hz === 1 ? WAYS.filter((one) => !one.includes('webgl')) : WAYS)
      await measure(mock, people, hz, way);
    await mock.close();
  }
  const seen = await benchSvg(people, WATCH_MS);
  const gaps = seen?.gaps ?? [];
  const perSecond = 1000 / (gaps.reduce((a, b) => a + b, 0) / gaps.length);
  print(people, '', 'plain SVG', seen && { ...seen, perSecond, script: seen.scripts });
}

async function measure(mock, people, hz, way) {
  const browser = await openBrowser({ viewport: VIEWPORT });
  const { page, context } = browser;
  const began = Date.now();
  await page.goto(`${mock.url}/?run=${mock.worlds.at(-1).id}&${way}`);
  await hasPicture(page).catch(() => {});
  const first = Date.now() - began;
  await page.waitForTimeout(SETTLES_MS);
  const { result, script } = await traceScript(context.browser(), page, 'picture', () =>
    page.evaluate(watch, WATCH_MS),
  );
  const { renderer, drawing } = await page.evaluate(() => ({
    renderer: window.__coronaz.renderer,
    drawing: window.__coronaz.drawing,
  }));
  const seeks = await seek(page);
  const perSecond = (1000 * result.gaps.length) / WATCH_MS;
  const moments = (1000 * result.moments) / WATCH_MS;
  print(people, `${hz} Hz`, `${renderer} ${drawing}`, {
    first,
    ...result,
    perSecond,
    moments,
    script,
    seeks,
  });
  if (browser.errors.length > 0) console.log(browser.errors);
  await browser.close();
}

/** Runs in the page: the gaps between pictures, and how many new moments came. */
function watch(ms) {
  return new Promise((done) => {
    const gaps = [];
    let [moments, last, { pictures, frame }] = [0, undefined, window.__coronaz];
    const end = performance.now() + ms;
    const tick = (now) => {
      const seen = window.__coronaz;
      if (seen.frame !== frame) moments += 1;
      frame = seen.frame;
      if (seen.pictures !== pictures) {
        performance.mark('picture');
        if (last !== undefined) gaps.push(now - last);
        last = now;
      }
      pictures = seen.pictures;
      if (now < end) requestAnimationFrame(tick);
      else done({ gaps, moments });
    };
    requestAnimationFrame(tick);
  });
}

/** How long seeks take, by the keys of the slider, ms. */
async function seek(page) {
  const seeks = [];
  await page.getByRole('slider', { name: 'Day' }).focus();
  for (let i = 0; i < SEEKS; i += 1) {
    const start = Date.now();
    await page.keyboard.press(i % 2 === 0 ? 'Home' : 'PageUp');
    await until(
      page,
      () => window.__coronaz.frame.moment === window.__coronaz.wanted,
      undefined,
      20_000,
    ).catch(() => {});
    seeks.push(Date.now() - start);
  }
  return seeks;
}

function print(people, hz, way, seen) {
  const head = `${people} people | ${hz.padEnd(5)} | ${way.padEnd(14)}`;
  if (seen === undefined) {
    console.log(`${head} | no second picture in time | ${load()}`);
    return;
  }
  const { first, script, perSecond, gaps, moments, seeks } = seen;
  const parts = [
    `first picture ${first.toFixed(0)} ms`,
    `script ${both(script)} ms`,
    `${perSecond.toFixed(1)} pictures/s, gaps ${both(gaps, 0)} ms`,
    moments === undefined ? '' : `${moments.toFixed(1)} moments/s`,
    seeks === undefined ? '' : `seeks ${both(seeks, 0)} ms`,
  ];
  console.log([head, ...parts, load()].join(' | '));
}
