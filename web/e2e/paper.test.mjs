// The paper's page, point by point, in a real browser. With CORONAZ_URL: against the real stack.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hasPicture, look, openBrowser, openSite, until } from './browser.mjs';

const COLOURS = { 0: '1f66d6', 1: 'd31f33', 2: '808b98' };
let site;
let browser;
let page;

before(async () => {
  site = await openSite({ people: 40, history: 60 });
  browser = await openBrowser({ colorScheme: 'light' });
  page = browser.page;
  await page.goto(`${site.url}/?renderer=canvas`);
  await hasPicture(page);
});
after(async () => {
  await browser.close();
  await site.close();
});

const state = async (moment) => {
  const { run } = await look(page);
  return (await fetch(`${site.url}/api/v1/runs/${run}/state?moment=${moment}`)).json();
};
const written = async (name) =>
  Number((await page.locator(`[data-figure=${name}]`).innerText()).replace(/[^0-9]/g, ''));
const day = () => page.getByTestId('day').innerText();

/** Goes to a moment by the slider's own keys and waits for its picture. */
async function sliderTo(moment) {
  const slider = page.getByRole('slider', { name: 'Day' });
  const isThere = (day) =>
    until(
      page,
      (k) => {
        const { frame, moment: shown, wanted, mode } = window.__coronaz;
        return frame.moment === k && shown === k && wanted === k && mode === 'paused';
      },
      day,
    );
  await slider.focus();
  await page.keyboard.press('Home');
  // Its picture too, or it could still come after that of a day that has been on show before.
  await isThere(0);
  for (let i = 0; i < moment; i += 1) await page.keyboard.press('ArrowRight');
  await isThere(moment);
}

test('its title is the paper’s', async () => {
  assert.equal(await page.title(), 'CoronaZ: Timeline from Day Zero');
});

test('the slider goes over the days, from Day 0 on', async () => {
  await sliderTo(0);
  assert.equal(await day(), 'Day 0');
  await sliderTo(3);
  assert.equal(await day(), 'Day 3');
});

test('the figures are those of the chosen state', async () => {
  for (const moment of [0, 2, 5]) {
    await sliderTo(moment);
    const { figures, nodes } = await state(moment);
    for (const name of ['total', 'zombies', 'deaths', 'dead_zombies']) {
      assert.equal(await written(name), figures[name], `${name} of day ${moment}`);
    }
    assert.equal(nodes.length, figures.total);
    assert.equal(nodes.filter((n) => !n.alive).length, figures.deaths);
  }
});

test('each node is one dot in its colour at its position', async () => {
  await sliderTo(5);
  const { nodes } = await state(5);
  const drawn = await page.evaluate(() => {
    const { frame, place, colourAt } = window.__coronaz;
    return Array.from(
      frame.states,
      (s, slot) => (s & 3) !== 3 && { slot, s, at: place(slot), colour: colourAt(place(slot)) },
    );
  });
  const dots = drawn.filter(Boolean);
  assert.equal(dots.length, nodes.length);
  // Somebody else may lie on top; far from all others the colour is one's own.
  const alone = dots.filter((a) =>
    dots.every((b) => a === b || Math.hypot(a.at.x - b.at.x, a.at.y - b.at.y) > 16),
  );
  assert.ok(alone.length > 0);
  for (const { s, colour, slot } of alone) {
    if ((s & 4) === 0) assert.equal(colour, `${COLOURS[s & 3]}ff`, `slot ${slot}`);
  }
  const { view } = await look(page);
  const box = await page.locator('#map').boundingBox();
  const { slot, at } = dots[0];
  const node = nodes.find((n) => n.slot === slot);
  assert.ok(Math.abs(at.x - (box.width / 2 + (node.x - view.x) * view.scale)) < 2);
  assert.ok(Math.abs(at.y - (box.height / 2 - (node.y - view.y) * view.scale)) < 2);
});

test('a faint dashed ring of the infection radius is around each node', async () => {
  await sliderTo(5);
  const [opaque, clear] = await page.evaluate(async () => {
    const { frame, place, colourAt, view, run } = window.__coronaz;
    const { parameters } = await (await fetch(`/api/v1/runs/${run}`)).json();
    const radius = parameters.infection_radius * view.scale;
    const slot = frame.states.findIndex((s) => (s & 3) !== 3);
    const at = place(slot);
    let inked = 0;
    let blank = 0;
    for (let angle = 0; angle < 360; angle += 1) {
      const x = at.x + radius * Math.cos((angle * Math.PI) / 180);
      const y = at.y + radius * Math.sin((angle * Math.PI) / 180);
      if (colourAt({ x, y }).endsWith('00')) blank += 1;
      else inked += 1;
    }
    return [inked, blank];
  });
  assert.ok(opaque > 60, `${opaque} degrees inked`);
  assert.ok(clear > 30, `${clear} degrees blank`);
});

test('the realism switch puts icons in the place of dots', async () => {
  const realism = page.getByRole('switch', { name: 'Realism' });
  await realism.check();
  await until(page, () => window.__coronaz.drawing === 'icons');
  await realism.uncheck();
  await until(page, () => window.__coronaz.drawing === 'dots');
});

test('it pauses where it is and goes back to live in one act', async () => {
  await sliderTo(2);
  assert.equal(await page.getByTestId('mode').getAttribute('data-mode'), 'paused');
  await page.waitForTimeout(1500);
  assert.equal((await look(page)).moment, 2);
  await page.getByRole('button', { name: 'Back to live' }).click();
  await until(
    page,
    () => window.__coronaz.mode === 'live' && window.__coronaz.moment >= window.__coronaz.latest,
  );
  assert.equal(await page.getByTestId('mode').innerText(), 'Live');
});

test('live shows what is new by itself', async (t) => {
  const { moment, growing } = await look(page);
  if (!growing && process.env.CORONAZ_URL) return t.skip('the newest run is over');
  await until(page, (k) => window.__coronaz.moment > k, moment, 15_000);
});

test('another run can be chosen', async (t) => {
  const { runs } = await (await fetch(`${site.url}/api/v1/runs`)).json();
  if (runs.length < 2) return t.skip('there is only one run');
  const other = runs[1];
  await page.getByRole('combobox', { name: 'Run' }).click();
  await page.getByRole('option').nth(1).click();
  await until(page, (id) => window.__coronaz?.run === id && window.__coronaz.frame !== undefined, other.id);
});

test('nothing on the page complained', () => {
  assert.deepEqual(browser.errors, []);
});
