// The first picture is there within a second of the server's answer.
import assert from 'node:assert/strict';
import { cpus, loadavg } from 'node:os';
import { test } from 'node:test';
import { hasPicture, openBrowser, openSite } from './browser.mjs';

/** On a machine that has more to do than it can, everything takes as much longer as it is overloaded. */
const WITHIN_MS = 1000 * Math.max(1, loadavg()[0] / cpus().length);
/** Whatever else the machine does only makes it later: the best of some loads is what the page can do. */
const LOADS_MAX = 6;

test('the first picture comes within a second of the answer', async () => {
  const site = await openSite({ people: 100, history: 60 });
  const took = [];
  while (took.length < LOADS_MAX && !(Math.min(...took) < WITHIN_MS)) {
    const browser = await openBrowser();
    const { page } = browser;
    await page.addInitScript(() => {
      const watch = () => {
        const shown = window.__coronaz;
        if (shown?.frame !== undefined && shown.draws > 0) window.firstPictureMs = performance.now();
        else requestAnimationFrame(watch);
      };
      requestAnimationFrame(watch);
    });
    await page.goto(site.url);
    await hasPicture(page);
    await page.waitForFunction(() => window.firstPictureMs !== undefined);
    took.push(
      await page.evaluate(
        () => window.firstPictureMs - performance.getEntriesByType('navigation')[0].responseStart,
      ),
    );
    assert.deepEqual(browser.errors, []);
    await browser.close();
  }
  await site.close();
  const written = took.map((ms) => `${Math.round(ms)} ms`).join(', ');
  console.log(`first picture after the answer: ${written}`);
  assert.ok(Math.min(...took) < WITHIN_MS, written);
});
