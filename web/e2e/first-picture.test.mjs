// The first picture is there within a second of the server's answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasPicture, openBrowser, openSite } from './browser.mjs';

const WITHIN_MS = 1000;
/** Whatever else the machine does only makes it later: the best of some loads is what the page can do. */
const LOADS = 3;

test('the first picture comes within a second of the answer', async () => {
  const site = await openSite({ people: 100, history: 60 });
  const took = [];
  for (let i = 0; i < LOADS; i += 1) {
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
