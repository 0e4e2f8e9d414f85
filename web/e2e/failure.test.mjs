// What a visitor sees when something behind the page is away. Needs the mock server, which can fail on demand.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hasPicture, INSIDE_STORY, look, openBrowser, openSite, until } from './browser.mjs';

const skip = process.env.CORONAZ_URL ? 'the mock server alone can fail on demand' : false;
let site;
let browser;
let page;

before(async () => {
  if (skip) return;
  site = await openSite({ people: 30, history: 20, stepMs: 300 });
  browser = await openBrowser();
  page = browser.page;
});
after(async () => {
  await browser?.close();
  await site?.close();
});

test('before the first data there is a loading picture, and then the page goes on by itself', {
  skip,
}, async () => {
  site.mock.failure(true);
  await page.goto(site.url);
  await page.getByTestId('loading-picture').waitFor();
  await page.waitForTimeout(1200);
  const text = await page.locator('main').innerText();
  assert.equal(text.trim(), 'Waiting for the first picture');
  site.mock.failure(false);
  await hasPicture(page);
  assert.equal(await page.getByTestId('loading-picture').count(), 0);
});

test('later the last picture stays, gray, with a quiet word, and the page goes on by itself', {
  skip,
}, async () => {
  const before = await look(page);
  site.mock.failure(true);
  await page.getByText('Reconnecting since').first().waitFor();
  assert.notEqual(await page.locator('#map').getAttribute('data-away'), null);
  assert.ok((await page.evaluate(() => window.__coronaz.frame.count)) > 0, 'the picture is kept');
  const shown = await page.locator('body').innerText();
  assert.doesNotMatch(shown, INSIDE_STORY);
  site.mock.failure(false);
  await until(page, (k) => !window.__coronaz.away && window.__coronaz.moment > k, before.moment, 15_000);
  assert.equal(await page.locator('#map').getAttribute('data-away'), null);
});

test('while it is away the slider keeps what the visitor asked for, and shows it afterwards', {
  skip,
}, async () => {
  site.mock.failure(true);
  await until(page, () => window.__coronaz.away);
  await page.getByRole('slider', { name: 'Day' }).focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  site.mock.failure(false);
  await until(page, () => window.__coronaz.moment === 1 && !window.__coronaz.away, undefined, 15_000);
  assert.equal((await look(page)).mode, 'paused');
});

test('a live visitor of the newest run goes along when a new run begins', { skip }, async () => {
  await page.getByRole('button', { name: 'Back to live' }).click();
  const { run } = await look(page);
  site.mock.run();
  await until(
    page,
    (old) => window.__coronaz && window.__coronaz.run !== old && window.__coronaz.mode === 'live',
    run,
  );
});

test('a visitor who is busy is told of a new run and stays', { skip }, async () => {
  await until(page, () => window.__coronaz.latest > 3);
  await page.getByRole('slider', { name: 'Day' }).focus();
  await page.keyboard.press('Home');
  const { run } = await look(page);
  site.mock.run();
  await page.getByText('A newer run has started.').waitFor();
  assert.equal((await look(page)).run, run);
  await page.getByRole('button', { name: 'Show it' }).click();
  await until(page, (old) => window.__coronaz && window.__coronaz.run !== old, run);
});

test('where there is no run yet the page says so, and shows the first one when it comes', {
  skip,
}, async () => {
  const fresh = await openSite({ people: 10, history: 3, stepMs: 300 });
  fresh.mock.worlds.splice(0);
  const visitor = await openBrowser();
  try {
    await visitor.page.goto(fresh.url);
    await visitor.page.getByText('No run yet.').waitFor({ timeout: 10_000 });
    await visitor.page.keyboard.press('2');
    await visitor.page.getByText('A run appears here as soon as').waitFor({ timeout: 10_000 });
    await visitor.page.keyboard.press('1');
    fresh.mock.run();
    await hasPicture(visitor.page);
    assert.deepEqual(visitor.errors, []);
  } finally {
    await visitor.close();
    await fresh.close();
  }
});

test('nothing on the page complained', { skip }, () => {
  assert.deepEqual(browser.errors, []);
});
