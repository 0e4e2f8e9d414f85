// Time: live, playing and paused, steps, speeds and the keys; everything without a mouse.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hasPicture, look, openBrowser, openSite, until } from './browser.mjs';

let site;
let browser;
let page;

before(async () => {
  site = await openSite({ people: 30, history: 80 });
  browser = await openBrowser();
  page = browser.page;
  await page.goto(site.url);
  await hasPicture(page);
});
after(async () => {
  await browser.close();
  await site.close();
});

const mode = () => page.getByTestId('mode').getAttribute('data-mode');
const at = (moment) =>
  until(page, (k) => window.__coronaz.moment === k && window.__coronaz.wanted === k, moment);
const press = (...keys) =>
  keys.reduce((done, key) => done.then(() => page.keyboard.press(key)), Promise.resolve());

test('comma and full stop go one day back and forward, Home and End to the first and the newest', async () => {
  await press('Home');
  await at(0);
  await press('.', '.', '.');
  await at(3);
  await press(',');
  await at(2);
  assert.equal(await mode(), 'paused');
  await press('End');
  await until(
    page,
    () => window.__coronaz.wanted >= 3 && window.__coronaz.moment === window.__coronaz.wanted,
  );
  assert.equal(await mode(), 'paused');
});

const timeOf = async (moment) => {
  const { run } = await look(page);
  const { time_ms } = await (
    await fetch(`${site.url}/api/v1/runs/${run}/statistics?from=${moment}&to=${moment}`)
  ).json();
  return time_ms[0];
};

test('arrows go by a second of the run, with Shift by a minute', async () => {
  await press('Home');
  await at(0);
  await press('Shift+ArrowRight');
  await until(page, () => window.__coronaz.moment > 0);
  const far = (await look(page)).moment;
  await press('Home');
  await at(0);
  const start = await timeOf(0);
  await press('ArrowRight');
  await until(page, () => window.__coronaz.moment > 0 && window.__coronaz.moment === window.__coronaz.wanted);
  const near = (await look(page)).moment;
  assert.ok(near <= far);
  const second = (await timeOf(near)) - start;
  assert.ok(second > 0 && second < 5000, `${second} ms`);
  const { latest } = await look(page);
  if (far < latest) {
    const minute = (await timeOf(far)) - start;
    assert.ok(Math.abs(minute - 60_000) < 4000, `${minute} ms`);
  }
});

test('a day is typed, and a time of the clock; what is neither is said at the field', async () => {
  await press('g');
  const form = page.getByRole('dialog', { name: 'Go to a time' });
  const field = form.getByLabel('Day or time');
  await field.fill('soon');
  await press('Enter');
  await form.getByText('Neither a day').waitFor();
  await field.fill('4');
  await press('Enter');
  await at(4);
  await form.waitFor({ state: 'hidden' });
  const when = new Date(Math.ceil((await timeOf(0)) / 1000) * 1000 + 5000);
  const clock = [when.getHours(), when.getMinutes(), when.getSeconds()];
  await page.getByRole('button', { name: 'Go to a time' }).click();
  await field.fill(clock.map((part) => String(part).padStart(2, '0')).join(':'));
  await form.getByRole('button', { name: 'Go', exact: true }).click();
  await until(
    page,
    () => window.__coronaz.moment !== 4 && window.__coronaz.moment === window.__coronaz.wanted,
  );
  const off = Math.abs((await timeOf((await look(page)).moment)) - when.getTime());
  assert.ok(off < 3000, `${off} ms off`);
  await page.getByRole('button', { name: 'Go to a time' }).click();
  const { moment } = await look(page);
  await form.getByRole('button', { name: /one second back$/ }).click();
  await until(page, (from) => window.__coronaz.moment < from, moment);
  await press('Escape');
  await form.waitFor({ state: 'hidden' });
});

test('N and P go from mark to mark: the first infection, the peak', async (t) => {
  await press('Home');
  await at(0);
  const marks = await page.locator('[data-mark]').count();
  if (marks === 0) return t.skip('nothing has happened yet');
  await press('n');
  await until(page, () => window.__coronaz.moment > 0 && window.__coronaz.moment === window.__coronaz.wanted);
  const slider = page.getByRole('slider', { name: 'Day' });
  assert.match(await slider.getAttribute('aria-valuetext'), /First infection|Most infected/);
  await press('End');
  await press('p');
  await until(page, () => window.__coronaz.wanted < window.__coronaz.latest);
  await page
    .locator('[data-mark]')
    .first()
    .click({ position: { x: 5, y: 3 } });
  assert.equal(await mode(), 'paused');
});

test('it says how far behind live a pause is', async () => {
  await press('Home');
  await at(0);
  assert.match(await page.getByRole('region', { name: 'Time' }).innerText(), /behind live/);
  assert.match(await page.getByTestId('mode').innerText(), /^Paused, (.+ )?\d\d:\d\d:\d\d$/);
});

test('Space plays on from here and pauses where it is', async () => {
  await press('Home');
  await at(0);
  for (const _ of [1, 2, 3]) await press('>');
  await press('Space');
  await until(page, () => window.__coronaz.mode === 'playing' && window.__coronaz.moment >= 3);
  assert.match(await page.getByTestId('mode').innerText(), /^Playing/);
  await press('Space');
  const { wanted, mode: now } = await look(page);
  assert.equal(now, 'paused');
  await page.waitForTimeout(600);
  assert.equal((await look(page)).moment, wanted);
  await press('Space');
  await until(page, (from) => window.__coronaz.mode === 'playing' && window.__coronaz.moment > from, wanted);
});

test('playing up to the newest day of a run that grows joins live', async () => {
  const { growing } = await look(page);
  for (const _ of [1, 2, 3]) await press('>');
  await until(page, () => window.__coronaz.mode !== 'playing', undefined, 30_000);
  assert.equal((await look(page)).mode, growing ? 'live' : 'paused');
});

test('L goes back to live in one act', async () => {
  await press('Home');
  await at(0);
  await press('l');
  await until(
    page,
    () => window.__coronaz.mode === 'live' && window.__coronaz.moment === window.__coronaz.latest,
  );
});

test('speed has presets and takes any number', async () => {
  await page.getByRole('button', { name: /^Speed/ }).click();
  await page.getByRole('menuitem', { name: '20×' }).click();
  await page.getByRole('button', { name: 'Speed 20×' }).click();
  await page.getByLabel('Other speed').fill('0.7');
  await press('Enter');
  await page.getByRole('button', { name: 'Speed 0.7×' }).waitFor();
});

test('a finished run stops at its end and offers a replay', async (t) => {
  if (process.env.CORONAZ_URL) return t.skip('needs a run that is known to be over');
  const over = site.mock.worlds.at(-1);
  await page.goto(`${site.url}/?run=${over.id}&moment=${over.latest - 2}&speed=5`);
  await hasPicture(page);
  await press('Space');
  await until(
    page,
    (end) => window.__coronaz.mode === 'paused' && window.__coronaz.moment === end,
    over.latest,
  );
  await page.getByRole('button', { name: 'Replay from Day 0' }).click();
  await until(page, () => window.__coronaz.mode === 'playing' && window.__coronaz.moment < 60);
});

test('keys are listed under the question mark and do nothing while one types', async () => {
  await press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  await press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await press('/');
  const { mode: before } = await look(page);
  await page.keyboard.type('l h');
  assert.equal((await look(page)).mode, before);
  assert.equal(await page.getByRole('textbox', { name: 'Search by id' }).inputValue(), 'l h');
});

test('nothing on the page complained', () => {
  assert.deepEqual(browser.errors, []);
});
