// The page while parts of the real laboratory are killed. Needs CORONAZ_URL, CORONAZ_BIN and CORONAZ_DATA_DIR.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { hasPicture, INSIDE_STORY, look, openBrowser, openSite, until } from '../browser.mjs';

const DOWN_MS = 4000;
const BACK_MS_MAX = 30_000;
const { CORONAZ_BIN, CORONAZ_DATA_DIR } = process.env;
const run = promisify(execFile);
let site;
let browser;
let page;

before(async () => {
  assert.ok(
    CORONAZ_BIN && CORONAZ_DATA_DIR && process.env.CORONAZ_URL,
    'scripts/browser.sh starts the laboratory',
  );
  site = await openSite();
  browser = await openBrowser();
  page = browser.page;
  await page.goto(`${site.url}/?renderer=canvas`);
  await hasPicture(page);
});
after(async () => {
  await browser.close();
  await site.close();
});

/** Kills a part, and again whenever the laboratory has brought it back, for DOWN_MS. */
async function keepDown(part) {
  const until_ms = Date.now() + DOWN_MS;
  while (Date.now() < until_ms) {
    // Between two processes there is nothing to kill, and the command says so.
    await run(CORONAZ_BIN, ['parts', '--kill', part, '--data-dir', CORONAZ_DATA_DIR]).catch(() => {});
    await new Promise((done) => setTimeout(done, 100));
  }
}

const goesOn = (moment) =>
  until(page, (k) => !window.__coronaz.away && window.__coronaz.moment > k, moment, BACK_MS_MAX);

test('when the back-end is killed the picture stays with a quiet word, and goes on by itself', async () => {
  const { moment } = await look(page);
  const killing = keepDown('serve');
  await page.getByText('Reconnecting since').first().waitFor({ timeout: BACK_MS_MAX });
  assert.ok((await page.evaluate(() => window.__coronaz.frame.count)) > 0, 'the picture is kept');
  const shown = await page.locator('body').innerText();
  assert.doesNotMatch(shown, INSIDE_STORY);
  await killing;
  await goesOn(moment);
});

for (const part of ['ingest', 'broker']) {
  test(`when ${part} is killed the page goes on by itself, and says no word of it`, async () => {
    await keepDown(part);
    const shown = await page.locator('body').innerText();
    assert.doesNotMatch(shown, INSIDE_STORY);
    await goesOn((await look(page)).moment);
  });
}

test('nothing of all that reached the console as an error', () => assert.deepEqual(browser.errors, []));
