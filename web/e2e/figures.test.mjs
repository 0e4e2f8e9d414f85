// Figures, legend and curves: what they say is what the server says, and they go on while one looks.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hasPicture, look, openBrowser, openSite, until } from './browser.mjs';

let site;
let browser;
let page;

before(async () => {
  site = await openSite({ people: 40, history: 90 });
  browser = await openBrowser({ colorScheme: 'light' });
  page = browser.page;
  await page.goto(`${site.url}/?renderer=canvas`);
  await hasPicture(page);
});
after(async () => {
  await browser.close();
  await site.close();
});

const rest = async (path) => (await fetch(`${site.url}/api/v1/runs/${(await look(page)).run}${path}`)).json();
const written = async (name) =>
  Number((await page.locator(`[data-figure=${name}]`).innerText()).replace(/[^0-9.]/g, ''));
const chart = () => page.getByRole('slider', { name: 'Epidemic curve' });

test('beyond the paper’s four: the share of infected, infections, contacts and how fast they come', async () => {
  await page.keyboard.press('Home');
  for (let i = 0; i < 6; i += 1) await page.keyboard.press('.');
  await until(page, () => window.__coronaz.moment === 6);
  const { moment, contacts, infections, zombies, total, deaths, immune } =
    await rest('/statistics?from=6&to=6');
  assert.deepEqual(moment, [6]);
  await until(
    page,
    (count) =>
      document.querySelector('[data-figure=contacts]').textContent.replace(/[^0-9]/g, '') === String(count),
    contacts[0],
  );
  assert.equal(await written('infections'), infections[0]);
  assert.equal(await written('immune'), immune[0]);
  const share = (100 * zombies[0]) / (total[0] - deaths[0]);
  assert.ok(Math.abs((await written('share')) - share) < 1, `${share} %`);
  for (const name of ['incidence', 'meetings']) assert.ok((await written(name)) >= 0, name);
});

test('the legend counts everybody of the moment on show', async () => {
  const { total } = (await look(page)).figures;
  let sum = 0;
  for (const name of ['Safe', 'Immune', 'Infected', 'Dead']) {
    const row = await page.getByRole('button', { name: new RegExp(`^${name}`) }).innerText();
    sum += Number(row.replace(/[^0-9]/g, ''));
  }
  assert.equal(sum, total);
});

test('new infections and contacts have curves of their own, by keyboard and as a table', async () => {
  for (const [name, said] of [
    ['New infections', 'New infections a minute'],
    ['Contacts', 'Contacts a minute'],
    ['People', 'Zombies'],
  ]) {
    await page.getByRole('button', { name, exact: true }).click();
    await chart().focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    assert.match(await chart().getAttribute('aria-valuetext'), new RegExp(`^Day \\d+: .*${said} \\d+`));
  }
  await page.getByRole('button', { name: 'Show as a table' }).click();
  const table = page.getByRole('region', { name: 'The curve as a table, sampled' });
  assert.deepEqual(await table.getByRole('columnheader').allInnerTexts(), [
    'Day',
    'Time',
    'Zombies',
    'Immune',
    'Deaths',
  ]);
  const cells = await table.getByRole('row').nth(1).getByRole('cell').allInnerTexts();
  const { zombies, time_ms } = await rest('/statistics?from=0&to=0');
  assert.equal(Number(cells[2]), zombies[0]);
  assert.equal(new Date(time_ms[0]).getSeconds(), Number(cells[1].slice(-2)));
  await page.getByRole('button', { name: 'Hide the table' }).click();
});

test('the curve goes on while one looks', async (t) => {
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Back to live' }).click();
  await until(page, () => window.__coronaz.mode === 'live');
  const { growing } = await look(page);
  if (!growing && process.env.CORONAZ_URL) return t.skip('the newest run is over');
  const last = () => chart().getAttribute('aria-valuemax').then(Number);
  const before = await last();
  const end = Date.now() + 15_000;
  while ((await last()) <= before) {
    assert.ok(Date.now() < end, `it stays at ${before}`);
    await page.waitForTimeout(200);
  }
});

test('nothing on the page complained', () => {
  assert.deepEqual(browser.errors, []);
});
