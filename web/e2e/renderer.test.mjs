// The two back ends draw the same, and either can take over from the other. Few people: WebGL is slow without a GPU.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startMock } from '../mock/server.mjs';
import { hasPicture, look, openBrowser, openSite, until } from './browser.mjs';

/** More than are drawn at once, and few enough for WebGL without a GPU. */
const CROWD = 2000;
/** Squares, and still fewer than a density begins with. */
const LARGE = 20_000;
let site;
let browser;
let page;

before(async () => {
  site = await openSite({ people: 40, history: 30 });
  browser = await openBrowser({ colorScheme: 'light' });
  page = browser.page;
});
after(async () => {
  await browser.close();
  await site.close();
});

/** What a back end draws of Day 5: for each slot the colour at its place, at a spot beside it, and on its ring. */
async function drawing(renderer, style) {
  await page.goto(`${site.url}/?renderer=${renderer}&moment=5${style}`);
  await hasPicture(page);
  await until(page, () => window.__coronaz.moment === 5);
  await page.waitForTimeout(300);
  assert.equal((await look(page)).renderer, renderer);
  return page.evaluate(() => {
    const { frame, place, colourAt } = window.__coronaz;
    const at = (x, y) => colourAt({ x, y });
    return Array.from(frame.states, (state, slot) => {
      if ((state & 3) === 3) return [];
      const { x, y } = place(slot);
      return [at(x, y), at(x + 1.5, y), at(x, y + 1.5), at(x + 60, y + 45)];
    });
  });
}

/** Waits until the same picture stays for a while. */
async function settled() {
  let pictures;
  do {
    pictures = (await look(page)).pictures;
    await page.waitForTimeout(400);
  } while ((await look(page)).pictures !== pictures);
}

const parts = (colour) => colour.match(/../g).map((part) => Number.parseInt(part, 16));
/** Edges may differ by a shade where a sprite falls between pixels. */
const differ = (a, b) => Math.max(...parts(a).map((part, i) => Math.abs(part - parts(b)[i]))) > 72;

for (const [name, style] of [
  ['dots', ''],
  ['icons', '&realism=1'],
]) {
  test(`WebGL and Canvas draw the same ${name}`, async () => {
    const canvas = await drawing('canvas', style);
    const webgl = await drawing('webgl', style);
    assert.equal(webgl.length, canvas.length);
    const spots = canvas.flatMap((colours, slot) => colours.map((colour, i) => [colour, webgl[slot][i]]));
    const different = spots.filter(([a, b]) => differ(a, b));
    assert.ok(
      different.length <= spots.length * 0.03,
      `${different.length} of ${spots.length}: ${different.slice(0, 4)}`,
    );
    assert.ok(
      spots.some(([a]) => a.endsWith('ff')),
      'something is drawn',
    );
  });
}

test('a crowd that the worker paints is the crowd that WebGL draws', async (t) => {
  const crowd = await startMock({ crowd: CROWD, stepMs: 0, people: 5 });
  t.after(() => crowd.close());
  const run = crowd.worlds.at(-1).id;
  const drawn = {};
  for (const renderer of ['canvas', 'webgl']) {
    await page.goto(`${crowd.url}/?run=${run}&renderer=${renderer}&moment=5`);
    await hasPicture(page);
    await until(page, () => window.__coronaz.moment === 5 && window.__coronaz.pictures > 0);
    await settled();
    drawn[renderer] = await page.evaluate(() => {
      const { frame, place, colourAt } = window.__coronaz;
      return Array.from({ length: 120 }, (_, i) => colourAt(place(Math.floor((i * frame.count) / 120))));
    });
  }
  assert.equal(page.workers().length, 0, 'WebGL needs none for dots');
  const different = drawn.canvas.filter((colour, i) => differ(colour, drawn.webgl[i]));
  assert.ok(different.length <= 6, `${different.length} of 120: ${different}`);
  assert.ok(
    drawn.canvas.filter((colour) => colour.endsWith('ff')).length > 60,
    'people are where they should be',
  );
});

test('a large crowd is painted in a worker, glides, moves along with the view, and goes on without a worker', async (t) => {
  const crowd = await startMock({ crowd: LARGE, stepMs: 400, people: 5 });
  t.after(() => crowd.close());
  const open = async () => {
    await page.goto(`${crowd.url}/?run=${crowd.worlds.at(-1).id}&renderer=canvas`);
    await hasPicture(page);
    await until(page, () => window.__coronaz.pictures > 3 && window.__coronaz.drawing === 'dots');
  };
  await open();
  assert.equal(page.workers().length, 1);
  const { moments, pictures } = await page.evaluate(
    () =>
      new Promise((done) => {
        const { moment, pictures } = window.__coronaz;
        setTimeout(() => {
          const now = window.__coronaz;
          done({ moments: now.moment - moment, pictures: now.pictures - pictures });
        }, 2500);
      }),
  );
  assert.ok(pictures > moments + 2, `${pictures} pictures of ${moments} moments`);
  await page.keyboard.press(' ');
  await until(page, () => window.__coronaz.mode === 'paused');
  for (const key of ['+', '+', 'ArrowLeft']) await page.locator('#map').press(key);
  await settled();
  const hits = () =>
    page.evaluate(() => {
      const { frame, place, colourAt } = window.__coronaz;
      const { width, height } = document.querySelector('#map').getBoundingClientRect();
      let [inside, hit] = [0, 0];
      for (let slot = 0; slot < frame.count && inside < 100; slot += 7) {
        const at = place(slot);
        if (!(at?.x > 5 && at.y > 5 && at.x < width - 5 && at.y < height - 5)) continue;
        inside += 1;
        if (!colourAt(at).endsWith('00')) hit += 1;
      }
      return { inside, hit };
    });
  assert.deepEqual(await hits(), { inside: 100, hit: 100 });
  await page.addInitScript(() => {
    // Only this test's page, and only while it asks for it.
    if (location.hash === '#no-worker') window.Worker = undefined;
  });
  await page.goto('about:blank');
  await page.goto(`${crowd.url}/?run=${crowd.worlds.at(-1).id}&renderer=canvas&moment=3#no-worker`);
  await hasPicture(page);
  await until(page, () => window.__coronaz.moment === 3 && window.__coronaz.pictures > 0);
  await settled();
  assert.equal(page.workers().length, 0);
  assert.deepEqual(await hits(), { inside: 100, hit: 100 });
});

test('a lost context comes back with the same picture', async () => {
  await page.goto(`${site.url}/?renderer=webgl&moment=5`);
  await hasPicture(page);
  await page.waitForTimeout(300);
  const slot = await page.evaluate(() => window.__coronaz.frame.states.findIndex((s) => (s & 3) !== 3));
  const colour = () => page.evaluate((s) => window.__coronaz.colourAt(window.__coronaz.place(s)), slot);
  const before = await colour();
  await page.evaluate(() => {
    const canvas = document.querySelector('#map canvas[data-renderer=webgl]');
    const extension = canvas.getContext('webgl2').getExtension('WEBGL_lose_context');
    extension.loseContext();
    setTimeout(() => extension.restoreContext(), 200);
  });
  await page.waitForTimeout(1200);
  assert.equal((await look(page)).renderer, 'webgl');
  assert.equal(await colour(), before);
});

test('a context that stays lost is replaced by the other back end', async () => {
  await page.goto(`${site.url}/?renderer=webgl&moment=5`);
  await hasPicture(page);
  await page.evaluate(() => {
    const canvas = document.querySelector('#map canvas[data-renderer=webgl]');
    canvas.getContext('webgl2').getExtension('WEBGL_lose_context').loseContext();
  });
  await until(page, () => window.__coronaz.renderer === 'canvas');
  const drawn = await page.evaluate(() => {
    const { frame, place, colourAt } = window.__coronaz;
    return colourAt(place(frame.states.findIndex((s) => (s & 3) !== 3)));
  });
  assert.ok(drawn.endsWith('ff'));
});

test('without a GPU the canvas is chosen', async () => {
  await page.goto(site.url);
  await hasPicture(page);
  assert.equal((await look(page)).renderer, 'canvas');
});

test('zoom, pan and home by wheel, pointer and keys', async () => {
  const view = async () => (await look(page)).view;
  const home = await view();
  const box = await page.locator('#map').boundingBox();
  await page.mouse.move(box.x + 200, box.y + 200);
  await page.mouse.wheel(0, -400);
  await until(page, (scale) => window.__coronaz.view.scale > scale * 1.5, home.scale);
  const zoomed = await view();
  await page.mouse.down();
  await page.mouse.move(box.x + 260, box.y + 240, { steps: 5 });
  await page.mouse.up();
  const panned = await view();
  assert.ok(panned.x < zoomed.x && panned.y > zoomed.y);
  assert.equal((await look(page)).slot, undefined, 'a drag is no click');
  await page.keyboard.press('h');
  assert.deepEqual(await view(), home);
});

test('the map follows the size of its window', async () => {
  const before = (await look(page)).view.scale;
  await page.setViewportSize({ width: 800, height: 600 });
  await until(page, (scale) => window.__coronaz.view.scale < scale, before);
});

test('nothing on the page complained', () => {
  assert.deepEqual(browser.errors, []);
});
