// Time, person and views without a mouse: nothing here touches a pointer.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hasPicture, look, openBrowser, openSite, until } from './browser.mjs';

const TABS_MAX = 80;
let site;
let browser;
let page;

before(async () => {
  site = await openSite({ people: 40, history: 80 });
  browser = await openBrowser();
  page = browser.page;
  await page.goto(site.url);
  await hasPicture(page);
});
after(async () => {
  await browser.close();
  await site.close();
});

const press = async (...keys) => {
  for (const key of keys) await page.keyboard.press(key);
};

/** Tabs until what has the focus has this name. */
async function tabTo(name) {
  for (let i = 0; i < TABS_MAX; i += 1) {
    await page.keyboard.press('Tab');
    const now = await page.evaluate(() => {
      const at = document.activeElement;
      return at?.getAttribute('aria-label') ?? at?.textContent ?? '';
    });
    if (name.test(now)) return;
  }
  assert.fail(`${TABS_MAX} tabs did not reach ${name}`);
}

test('time: the slider is reached by Tab and moved by arrows, and pauses there', async () => {
  await tabTo(/^Day$/);
  await press('Home', 'ArrowRight', 'ArrowRight');
  await until(page, () => window.__coronaz.moment === 2 && window.__coronaz.mode === 'paused');
  await press('PageUp');
  await until(page, () => window.__coronaz.moment === 12);
  await press('l');
  await until(page, () => window.__coronaz.mode === 'live');
});

test('time: the curve is reached by Tab, read by arrows, and Enter goes to its day', async () => {
  await tabTo(/^Epidemic curve$/);
  await press('Home', 'ArrowRight', 'ArrowRight', 'ArrowRight');
  const said = await page.evaluate(() => document.activeElement.getAttribute('aria-valuetext'));
  assert.match(said, /^Day \d+: \d\d:\d\d:\d\d, Zombies \d+, Immune \d+, Deaths \d+$/);
  const day = Number(/^Day (\d+)/.exec(said)[1]);
  await press('Enter');
  await until(page, (k) => window.__coronaz.moment === k && window.__coronaz.mode === 'paused', day);
});

test('person: chosen from the map, the next in each direction, and told of', async () => {
  await page.evaluate(() => document.body.focus());
  await tabTo(/^Map$/);
  // The views have a button of that name; the map itself is the application.
  while ((await page.evaluate(() => document.activeElement.id)) !== 'map') await tabTo(/^Map$/);
  // Nobody moves while a day is on show.
  await press('Home');
  await until(page, () => window.__coronaz.moment === 0 && window.__coronaz.frame.moment === 0);
  await page.waitForTimeout(400);
  await press('Enter');
  await until(page, () => window.__coronaz.person !== undefined);
  for (const [key, axis, sign] of [
    ['Shift+ArrowRight', 'x', 1],
    ['Shift+ArrowDown', 'y', 1],
    ['Shift+ArrowLeft', 'x', -1],
    ['Shift+ArrowUp', 'y', -1],
  ]) {
    const before = await look(page);
    const place = (slot) => page.evaluate((s) => window.__coronaz.place(s), slot);
    const from = await place(before.slot);
    await press(key);
    const moved = await until(page, (s) => window.__coronaz.slot !== s, before.slot, 2000).catch(() => false);
    if (!moved) continue; // Nobody further that way.
    const to = await place((await look(page)).slot);
    assert.ok(
      (to[axis] - from[axis]) * sign > 0,
      `${key} from ${JSON.stringify(from)} to ${JSON.stringify(to)}`,
    );
    await until(page, () => window.__coronaz.person !== undefined);
  }
  const told = await page.getByText(/^Selected [0-9a-f]{8}, /).innerText();
  const { person } = await look(page);
  assert.ok(told.includes(person.slice(0, 8)), told);
});

test('person: followed, isolated and let go by keys, their lists by Tab and arrows', async () => {
  await press('f');
  await page.getByRole('button', { name: 'Follow', pressed: true }).waitFor();
  await press('f', 'i');
  await page.getByRole('button', { name: 'Isolate', pressed: true }).waitFor();
  await press('i', 'c');
  await tabTo(/^History$/);
  await press('ArrowRight', 'Enter');
  await page.getByRole('tab', { name: 'Encounters', selected: true }).waitFor();
  await press('Escape');
  await until(page, () => window.__coronaz.person === undefined);
});

test('person: found by the first characters of an id', async () => {
  const { run } = await look(page);
  const { nodes } = await (await fetch(`${site.url}/api/v1/runs/${run}/nodes?limit=3`)).json();
  const { id } = nodes.at(-1);
  await press('/');
  await page.keyboard.type(id.slice(0, 13));
  await press('Enter');
  await until(page, (wanted) => window.__coronaz.person === wanted, id);
  // Out of the field, and then the person is let go.
  await press('Escape', 'Escape');
  await until(page, () => window.__coronaz.person === undefined);
});

test('views: 1 and 2 go to the map and to the runs, where a run is compared and opened', async () => {
  await press('2');
  await page.getByRole('table', { name: 'All runs, newest first' }).waitFor();
  assert.equal(await page.locator('#map').count(), 0);
  await tabTo(/^Compare /);
  await press('Space');
  assert.ok(await page.getByRole('checkbox').first().isChecked());
  await press('Space', 'Tab', 'Enter');
  await page.locator('#map').waitFor();
  await press('2', '1');
  await page.locator('#map').waitFor();
  await hasPicture(page);
});

test('the keys of time do nothing where there is no map', async () => {
  await press('Home');
  await until(page, () => window.__coronaz.moment === 0);
  await press('2', 'End', 'Space', '.');
  assert.equal((await look(page)).wanted, 0);
  await press('1');
});

test('nothing on the page complained', () => {
  assert.deepEqual(browser.errors, []);
});
