// The person: choosing them by mouse, key and id; what is told of them; following; links that hold all of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hasPicture, look, openBrowser, openSite, until } from './browser.mjs';

let site;
let browser;
let page;

before(async () => {
  site = await openSite({ people: 40, history: 100 });
  browser = await openBrowser();
  page = browser.page;
  await page.goto(site.url);
  await hasPicture(page);
});
after(async () => {
  await browser.close();
  await site.close();
});

const rest = async (path) => (await fetch(`${site.url}/api/v1/runs/${(await look(page)).run}${path}`)).json();
const selected = () => page.getByTestId('person-id').getAttribute('data-id');

/** Somebody who stands apart from all others, and where they are on the page. */
const somebodyAlone = () =>
  page.evaluate(() => {
    const { frame, place } = window.__coronaz;
    const box = document.querySelector('#map').getBoundingClientRect();
    const all = Array.from(frame.states, (s, slot) =>
      (s & 3) === 3 ? undefined : { slot, at: place(slot) },
    ).filter(Boolean);
    const alone = all.find(
      (a) =>
        a.at.x < box.width - 80 &&
        all.every((b) => a === b || Math.hypot(a.at.x - b.at.x, a.at.y - b.at.y) > 26),
    );
    return { slot: alone.slot, x: box.x + alone.at.x, y: box.y + alone.at.y };
  });

test('a click within 12 px selects the nearest person and shows who it is', async () => {
  await page.keyboard.press('Home');
  await until(page, () => window.__coronaz.moment === 0);
  const { slot, x, y } = await somebodyAlone();
  await page.mouse.click(x + 6, y + 6);
  await until(page, (s) => window.__coronaz.slot === s && window.__coronaz.person, slot);
  const { nodes } = await rest('/state?moment=0');
  const node = nodes.find((n) => n.slot === slot);
  assert.equal(await selected(), node.id);
  const state = await page.getByTestId('person-state').innerText();
  assert.equal(state, node.infected ? 'Infected' : node.immune ? 'Immune' : 'Safe');
});

test('the selection outlives scrubbing, playing and live', async () => {
  const id = await selected();
  await page.keyboard.press('End');
  await page.keyboard.press('l');
  await until(page, () => window.__coronaz.mode === 'live');
  await page.keyboard.press('Space');
  assert.equal(await selected(), id);
});

test('history, encounters, contacts and infections are those of the server', async () => {
  const { infections } = await rest('/infections?limit=10000');
  const found = infections.find((i) => i.infector);
  if (found) {
    await page.keyboard.press('/');
    await page.keyboard.type(found.infectee);
    await page.keyboard.press('Enter');
    await until(
      page,
      (id) => window.__coronaz.person === id && window.__coronaz.slot !== undefined,
      found.infectee,
    );
    await page.getByText('Infected by').first().waitFor();
    await page.getByRole('tab', { name: 'Infections' }).click();
    const by = page
      .getByRole('tabpanel')
      .getByRole('button', { name: `Select ${found.infector.slice(0, 8)}` });
    await by.first().click();
    await until(page, (id) => window.__coronaz.person === id, found.infector);
    await page.getByText('Infected whom').waitFor();
    await page.getByRole('img', { name: /^Transmission tree/ }).waitFor();
    await page.getByText('As a list').click();
    const link = page
      .getByRole('tabpanel')
      .getByRole('button', { name: `Select ${found.infectee.slice(0, 8)}` });
    await link.first().waitFor();
  }
  const id = await selected();
  const { encounters } = await rest(`/nodes/${id}/encounters?limit=300`);
  await page.getByRole('tab', { name: 'Encounters' }).click();
  if (encounters.length > 0) {
    const rows = page.getByRole('tabpanel').getByRole('row');
    await rows.nth(1).waitFor();
    assert.ok(Math.abs((await rows.count()) - 1 - encounters.length) <= 3);
  }
  await page.getByRole('tab', { name: 'Contacts' }).click();
  await page.getByRole('tab', { name: 'History' }).click();
  await page.getByText('First seen').waitFor();
});

test('follow keeps them in the middle until the map is moved by hand', async () => {
  await page.keyboard.press('c');
  await page.keyboard.press('f');
  await page.getByRole('button', { name: 'Follow', pressed: true }).waitFor();
  await page.keyboard.press('Home');
  await page.waitForTimeout(500);
  const off = await page.evaluate(() => {
    const { place, slot } = window.__coronaz;
    const box = document.querySelector('#map').getBoundingClientRect();
    const at = place(slot);
    return at && Math.hypot(at.x - box.width / 2, at.y - box.height / 2);
  });
  assert.ok(off === undefined || off < 3, `${off} px from the middle`);
  await page.locator('#map').focus();
  await page.keyboard.press('ArrowLeft');
  await page.getByRole('button', { name: 'Follow', pressed: false }).waitFor();
  await page.keyboard.press('h');
});

test('with the map in focus Enter and Shift with arrows select without a mouse, Esc clears', async () => {
  await page.keyboard.press('Escape');
  await until(page, () => window.__coronaz.person === undefined && window.__coronaz.slot === undefined);
  await page.locator('#map').focus();
  await page.keyboard.press('Enter');
  await until(page, () => window.__coronaz.person !== undefined);
  const first = (await look(page)).slot;
  const place = (slot) => page.evaluate((s) => window.__coronaz.place(s), slot);
  const from = await place(first);
  await page.keyboard.press('Shift+ArrowRight');
  await until(page, (s) => window.__coronaz.slot !== s, first);
  assert.ok((await place((await look(page)).slot)).x > from.x);
});

test('isolate leaves the person and whom they met, the others faint', async () => {
  await until(page, () => window.__coronaz.person !== undefined);
  await page.keyboard.press('i');
  await page.getByRole('button', { name: 'Isolate', pressed: true }).waitFor();
  await page.keyboard.press('i');
  await page.getByRole('button', { name: 'Isolate', pressed: false }).waitFor();
});

test('the legend hides and shows', async () => {
  const before = await look(page);
  const row = page.getByRole('button', { name: /^Safe/ });
  await row.click();
  assert.equal(await row.getAttribute('aria-pressed'), 'false');
  const slot = await page.evaluate(() => window.__coronaz.frame.states.findIndex((s) => (s & 7) === 0));
  const colour = await page.evaluate((s) => window.__coronaz.colourAt(window.__coronaz.place(s)), slot);
  assert.notEqual(colour, '1f66d6ff');
  await row.click();
  assert.equal(await row.getAttribute('aria-pressed'), 'true');
  assert.equal((await look(page)).person, before.person);
});

test('the address holds the view, and opening it shows the same', async () => {
  await page.keyboard.press('Home');
  await page.keyboard.press('.');
  await page.keyboard.press('+');
  await page.keyboard.press('r');
  await until(page, () => window.__coronaz.moment === 1);
  await page.waitForTimeout(900);
  const before = await look(page);
  const address = page.url();
  const second = await openBrowser();
  await second.page.goto(address);
  await hasPicture(second.page);
  await until(
    second.page,
    (slot) => window.__coronaz.moment === 1 && window.__coronaz.slot === slot,
    before.slot,
  );
  const after = await look(second.page);
  for (const name of ['run', 'mode', 'moment', 'person', 'drawing'])
    assert.deepEqual(after[name], before[name], name);
  for (const name of ['x', 'y', 'scale'])
    assert.ok(Math.abs(after.view[name] / before.view[name] - 1) < 0.02, name);
  assert.deepEqual(second.errors, []);
  await second.close();
});

test('Share gives an absolute, paused link even while live', async () => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.keyboard.press('l');
  await until(page, () => window.__coronaz.mode === 'live');
  await page.getByRole('button', { name: 'Share' }).click();
  await page.getByText('Link copied').waitFor();
  const link = new URL(await page.evaluate(() => navigator.clipboard.readText()));
  assert.match(link.searchParams.get('moment'), /^\d+$/);
  assert.ok(link.searchParams.get('run'));
});

test('nothing on the page complained', () => {
  assert.deepEqual(browser.errors, []);
});
