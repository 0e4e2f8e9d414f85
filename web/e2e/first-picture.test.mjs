// The first picture comes soon after the server's answer. The goal is a second; a machine that does something else at the
// same time takes longer, so that the test prints what it saw and fails only where the page waits for something it should not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasPicture, openBrowser, openSite } from './browser.mjs';

const GOAL_MS = 1000;
/** A page that waits for a timer, a second poll or an answer that never comes is later than that on any machine. */
const WITHIN_MS = 10_000;
/** Whatever else the machine does only makes it later: the best of some loads is what the page can do. */
const LOADS_MAX = 6;

test('the first picture comes soon after the answer', async () => {
  const site = await openSite({ people: 100, history: 60 });
  const took = [];
  while (took.length < LOADS_MAX && !(Math.min(...took) < GOAL_MS)) {
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
  console.log(`first picture after the answer (goal ${GOAL_MS} ms): ${written}`);
  assert.ok(Math.min(...took) < WITHIN_MS, written);
});
