// A crowd: the page asks for what it shows, gets a density of the whole or the people in view, and keeps its selection.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startMock } from '../mock/server.mjs';
import { hasPicture, look, openBrowser, until } from './browser.mjs';

const PEOPLE = 120_000;
let site;
let browser;
let page;

before(async () => {
  site = await startMock({ crowd: PEOPLE, history: 3, people: 5 });
  browser = await openBrowser({ colorScheme: 'light' });
  page = browser.page;
  await page.goto(`${site.url}/?run=${site.worlds.at(-1).id}&renderer=canvas`);
  await hasPicture(page);
});
after(async () => {
  await browser.close();
  await site.close();
});

/** The frame on show, without its columns. */
const frameOf = () =>
  page.evaluate(() => {
    const { count, figures, density, moment } = window.__coronaz.frame;
    return { count, figures, moment, inView: density?.inView };
  });

test('the whole field is a density that the server has counted', async () => {
  await until(page, () => window.__coronaz.frame.density !== undefined);
  await until(page, () => window.__coronaz.drawing === 'density');
  const frame = await frameOf();
  assert.equal(frame.inView, PEOPLE);
  assert.ok(frame.count <= 256, 'nobody is sent one by one');
  assert.equal(frame.figures.total, PEOPLE, 'figures are of the whole');
});

test('zoomed in, the people in view come, and can be chosen', async () => {
  await page.locator('#map').focus();
  for (let i = 0; i < 6; i += 1) await page.keyboard.press('+');
  await until(
    page,
    () => window.__coronaz.frame.slots !== undefined && window.__coronaz.frame.density === undefined,
  );
  await until(page, () => window.__coronaz.drawing === 'dots');
  const frame = await frameOf();
  assert.ok(frame.count > 10 && frame.count < PEOPLE / 4, `${frame.count} people`);
  await page.locator('#map').focus();
  await page.keyboard.press('Enter');
  await until(page, () => window.__coronaz.person !== undefined);
});

test('whoever is chosen stays known when the view is of everybody again', async () => {
  const { slot } = await look(page);
  for (let i = 0; i < 6; i += 1) await page.keyboard.press('-');
  await until(page, () => window.__coronaz.frame.density !== undefined);
  assert.ok(await page.evaluate((s) => window.__coronaz.place(s) !== undefined, slot), 'still on the map');
  assert.ok(
    await page.evaluate((s) => [...window.__coronaz.frame.slots].includes(s), slot),
    'the server keeps an eye on them',
  );
});

test('a paused crowd stays at its moment when the view moves', async () => {
  await page.locator('#map').focus();
  await page.keyboard.press(' ');
  await until(page, () => window.__coronaz.mode === 'paused');
  // React hears of the moment on show a little later.
  const { wanted } = await look(page);
  await page.locator('#map').focus();
  for (let i = 0; i < 6; i += 1) await page.keyboard.press('+');
  await until(page, () => window.__coronaz.frame.density === undefined);
  assert.equal((await frameOf()).moment, wanted);
  assert.deepEqual(browser.errors, []);
});
