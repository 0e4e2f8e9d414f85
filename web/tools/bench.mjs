// node tools/bench.mjs [PEOPLE …]: how fast the map is, in this machine's headless browser, for each back end.
// Frames come at 20 a second from the mock server; script is the page's own time for each draw. Beside it, in the same
// run, the original's way: an SVG circle for each person, moved one by one.
import { hasPicture, openBrowser, until } from '../e2e/browser.mjs';
import { startMock } from '../mock/server.mjs';

const sizes = process.argv.slice(2).map(Number);
const WATCH_MS = 8000;
const SEEKS = 20;
/** A plain SVG of a million people is not waited for any longer. */
const SVG_MS_MAX = 90_000;
const quantile = (values, q) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * q)];

for (const people of sizes.length > 0 ? sizes : [10_000, 100_000, 1_000_000]) {
  const mock = await startMock({ crowd: people, stepMs: 50, history: 5, people: 5 });
  const run = mock.worlds.at(-1);
  for (const way of ['renderer=canvas&density=off', 'renderer=webgl&density=off', '']) {
    const browser = await openBrowser({ viewport: { width: 1370, height: 970 } });
    const { page } = browser;
    const began = Date.now();
    await page.goto(`${mock.url}/?run=${run.id}&${way}`);
    await hasPicture(page).catch(() => {});
    const first = Date.now() - began;
    const from = await page.evaluate(() => window.__coronaz.draws);
    const gaps = await page.evaluate(
      (ms) =>
        new Promise((done) => {
          const gaps = [];
          let last = performance.now();
          const end = last + ms;
          let seen = window.__coronaz.frame;
          const tick = () => {
            const now = performance.now();
            const { frame } = window.__coronaz;
            if (frame !== seen) {
              gaps.push(now - last);
              last = now;
              seen = frame;
            }
            if (now < end) requestAnimationFrame(tick);
            else done(gaps);
          };
          tick();
        }),
      WATCH_MS,
    );
    const { draws, timings, drawing, renderer } = await page.evaluate(() => ({
      ...window.__coronaz,
      frame: undefined,
      place: undefined,
      colourAt: undefined,
    }));
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
    console.log(
      [
        `${people} people`,
        `${renderer} ${drawing}`.padEnd(14),
        `first picture ${first} ms`,
        `script p50 ${quantile(timings, 0.5).toFixed(1)} p95 ${quantile(timings, 0.95).toFixed(1)} ms`,
        `${((draws - from) / (WATCH_MS / 1000)).toFixed(1)} draws/s`,
        `${(gaps.length / (WATCH_MS / 1000)).toFixed(1)} frames/s, gap p95 ${(quantile(gaps, 0.95) ?? Number.NaN).toFixed(0)} ms`,
        `seek p50 ${quantile(seeks, 0.5)} p95 ${quantile(seeks, 0.95)} ms`,
      ].join(' | '),
    );
    if (browser.errors.length > 0) console.log(browser.errors);
    await browser.close();
  }
  await mock.close();
  await benchSvg(people);
}

/** A circle a person, placed anew for each frame. */
async function benchSvg(people) {
  const browser = await openBrowser({ viewport: { width: 1370, height: 970 } });
  const { page } = browser;
  await page.setContent('<body style="margin:0"></body>');
  const work = page.evaluate(svgWay, { people, ms: WATCH_MS });
  const late = new Promise((done) => setTimeout(done, SVG_MS_MAX).unref());
  const seen = await Promise.race([work, late]);
  const name = `${people} people | plain SVG     `;
  if (seen === undefined) console.log(`${name} | no second frame within ${SVG_MS_MAX / 1000} s`);
  else {
    const { first, scripts, gaps } = seen;
    console.log(
      [
        name,
        `first picture ${first.toFixed(0)} ms`,
        `script p50 ${quantile(scripts, 0.5).toFixed(1)} p95 ${quantile(scripts, 0.95).toFixed(1)} ms`,
        `${(1000 / (gaps.reduce((a, b) => a + b, 0) / gaps.length)).toFixed(1)} frames/s, gap p95 ${quantile(gaps, 0.95).toFixed(0)} ms`,
      ].join(' | '),
    );
  }
  // What still works away at a million elements is not waited for.
  work.catch(() => {});
  await browser.close();
}

/** Runs in the page. */
async function svgWay({ people, ms }) {
  const name = 'http://www.w3.org/2000/svg';
  const painted = () =>
    new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))));
  const began = performance.now();
  const svg = document.createElementNS(name, 'svg');
  svg.setAttribute('viewBox', '0 0 1370 970');
  svg.setAttribute('width', '1370');
  svg.setAttribute('height', '970');
  const circles = Array.from({ length: people }, (_, person) => {
    const circle = document.createElementNS(name, 'circle');
    circle.setAttribute('r', '1');
    circle.setAttribute('fill', person % 20 === 0 ? '#c8102e' : '#1f5fd0');
    svg.append(circle);
    return circle;
  });
  const places = Float64Array.from(
    { length: 2 * people },
    (_, i) => Math.random() * (i % 2 === 0 ? 1370 : 970),
  );
  const place = () => {
    for (let person = 0; person < people; person += 1) {
      places[2 * person] += Math.random() - 0.5;
      circles[person].setAttribute('cx', places[2 * person]);
      circles[person].setAttribute('cy', places[2 * person + 1]);
    }
  };
  place();
  document.body.append(svg);
  let last = await painted();
  const first = last - began;
  const [scripts, gaps] = [[], []];
  for (const end = last + ms; last < end || gaps.length === 0; ) {
    const from = performance.now();
    place();
    scripts.push(performance.now() - from);
    const now = await painted();
    gaps.push(now - last);
    last = now;
  }
  return { first, scripts, gaps };
}
