// The map for everybody's eyes and fingers: shapes, stillness, sharp screens, two fingers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hasPicture, look, openBrowser, openSite, until } from './browser.mjs';

let site;

before(async () => {
  site = await openSite({ people: 40, history: 60 });
});
after(() => site.close());

/** Opens Day 5 with options of the browser, and closes it afterwards. */
async function withPage(options, search, act) {
  const browser = await openBrowser(options);
  try {
    await browser.page.goto(`${site.url}/?renderer=canvas&moment=5${search}`);
    await hasPicture(browser.page);
    await until(browser.page, () => window.__coronaz.moment === 5);
    await act(browser.page);
    assert.deepEqual(browser.errors, []);
  } finally {
    await browser.close();
  }
}

/** How many places are inked above and below the middle of somebody infected who stands alone; undefined: nobody does. */
const inkOf = (page) =>
  page.evaluate(async () => {
    const { frame, place, colourAt } = window.__coronaz;
    const all = Array.from(frame.states, (state, slot) => ({ state, at: place(slot) })).filter(
      ({ at }) => at,
    );
    const alone = all.find(
      (a) =>
        (a.state & 3) === 1 && all.every((b) => a === b || Math.hypot(a.at.x - b.at.x, a.at.y - b.at.y) > 12),
    );
    if (alone === undefined) return undefined;
    const ink = { above: 0, below: 0 };
    for (let dx = -5; dx <= 5; dx += 1)
      for (let dy = 1; dy <= 5; dy += 1)
        for (const [side, sign] of [
          ['above', -1],
          ['below', 1],
        ]) {
          const colour = await colourAt({ x: alone.at.x + dx, y: alone.at.y + sign * dy });
          if (Number.parseInt(colour.slice(6), 16) > 200) ink[side] += 1;
        }
    return ink;
  });

test('with shapes the infected are triangles, and a link keeps that', async () => {
  await withPage({ colorScheme: 'light' }, '', async (page) => {
    const round = await inkOf(page);
    await page.getByRole('switch', { name: 'Shapes' }).check();
    await until(page, () => window.__coronaz.drawing === 'shapes');
    await page.waitForTimeout(300);
    const pointed = await inkOf(page);
    if (round !== undefined) {
      const top = ({ above, below }) => above / Math.max(1, below);
      const seen = JSON.stringify({ round, pointed });
      assert.ok(round.above > 4 && top(pointed) < 0.8 * top(round), seen);
    }
    await until(page, () => /shapes=1/.test(location.search));
    await page.reload();
    await until(page, () => window.__coronaz?.drawing === 'shapes');
  });
});

test('who wants no motion sees people jump', async () => {
  await withPage({ reducedMotion: 'reduce' }, '', async (page) => {
    await page.waitForTimeout(300);
    const before = (await look(page)).draws;
    await page.keyboard.press('.');
    await until(page, () => window.__coronaz.moment === 6);
    await page.waitForTimeout(400);
    const still = (await look(page)).draws - before;
    assert.ok(still <= 6, `${still} pictures for one step`);
  });
});

test('a sharp screen gets as many pixels as it has', async () => {
  await withPage({ deviceScaleFactor: 2 }, '', async (page) => {
    const { pixels, css } = await page.evaluate(() => {
      const canvas = document.querySelector('#map canvas[data-renderer]');
      return { pixels: canvas.width, css: canvas.getBoundingClientRect().width };
    });
    assert.ok(Math.abs(pixels - 2 * css) <= 2, `${pixels} for ${css}`);
  });
});

test('two fingers zoom, one moves', async () => {
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, deviceScaleFactor: 2 };
  await withPage(phone, '', async (page) => {
    const touch = await page.context().newCDPSession(page);
    const box = await page.locator('#map').boundingBox();
    const at = (dx, dy, id) => ({ x: box.x + box.width / 2 + dx, y: box.y + box.height / 2 + dy, id });
    const send = (type, ...touchPoints) => touch.send('Input.dispatchTouchEvent', { type, touchPoints });
    const { scale } = (await look(page)).view;
    await send('touchStart', at(-20, 0, 1), at(20, 0, 2));
    for (const apart of [30, 45, 60]) await send('touchMove', at(-apart, 0, 1), at(apart, 0, 2));
    await send('touchEnd');
    await until(page, (old) => window.__coronaz.view.scale > old * 1.8, scale);
    const { x } = (await look(page)).view;
    await send('touchStart', at(0, 0, 1));
    for (const moved of [10, 25, 40]) await send('touchMove', at(moved, 0, 1));
    await send('touchEnd');
    await until(page, (old) => window.__coronaz.view.x < old, x);
  });
});
