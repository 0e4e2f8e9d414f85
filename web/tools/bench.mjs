// node tools/bench.mjs [PEOPLE …]: how fast the map is, in this machine's headless browser, for each back end.
// Frames come at 20 a second from the mock server; script is the page's own time for each draw.
import { hasPicture, openBrowser, until } from '../e2e/browser.mjs';
import { startMock } from '../mock/server.mjs';

const sizes = process.argv.slice(2).map(Number);
const WATCH_MS = 8000;
const SEEKS = 20;
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
}
