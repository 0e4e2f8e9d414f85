// The operator's view of a real laboratory: parts that are really killed, runs that are really started.
// Needs CORONAZ_URL and CORONAZ_DATA_DIR.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hasPicture, openBrowser, openSite, signIn, until } from '../browser.mjs';

const BACK_MS_MAX = 40_000;
const START_MS_MAX = 60_000;
let site;
let browser;
let page;

before(async () => {
  assert.ok(
    process.env.CORONAZ_DATA_DIR && process.env.CORONAZ_URL,
    'scripts/browser.sh starts the laboratory',
  );
  process.env.CORONAZ_TOKEN ??= (
    await readFile(join(process.env.CORONAZ_DATA_DIR, 'operator-token'), 'utf8')
  ).trim();
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

const view = (name) => page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name });
const part = (name) => page.locator(`[data-part="${name}"]`);
const state = (name, wanted, timeout = BACK_MS_MAX) =>
  page.locator(`[data-part="${name}"][data-state="${wanted}"]`).waitFor({ timeout });
const fetchRuns = async () => (await (await fetch(`${site.url}/api/v1/runs`)).json()).runs;
const row = (id) => page.locator(`tr[data-run="${id}"]`);

test('the link with the token signs in, and the parts are there with their rates', async () => {
  await signIn(page, site);
  await view('Laboratory').click();
  for (const name of ['broker', 'ingest', 'serve']) await state(name, 'running');
  await page
    .getByRole('img', { name: /^From (Broker|Ingest) to (Ingest|Store): .*\/s/ })
    .first()
    .waitFor();
});

test('a part that is killed comes back, and the rest goes on', async () => {
  await part('ingest').getByRole('button', { name: 'Kill ingest' }).click();
  await part('ingest').getByRole('button', { name: 'Kill ingest: press again' }).click();
  const events = page.getByRole('list', { name: 'What happened' });
  await events.getByText('You killed ingest').waitFor();
  await events.getByText('ingest came back').waitFor({ timeout: BACK_MS_MAX });
  await state('ingest', 'running');
});

test('while ingest is held up the lag grows, and drains when it goes on', async () => {
  await part('ingest').getByRole('button', { name: 'Pause ingest' }).click();
  await state('ingest', 'paused');
  const lag = (least) =>
    until(
      page,
      (n) => Number(document.querySelector('[data-testid=growth]').dataset.now) > n,
      least,
      BACK_MS_MAX,
    );
  await lag(20);
  await part('ingest').getByRole('button', { name: 'Resume ingest' }).click();
  await state('ingest', 'running');
  await until(
    page,
    () => Number(document.querySelector('[data-testid=growth]').dataset.now) < 20,
    undefined,
    BACK_MS_MAX,
  );
});

test('a person who is infected is added and is seen', async () => {
  const people = async () => (await fetchRuns()).find(({ kind }) => kind === 'nodes').nodes;
  const before = await people();
  await page.getByRole('button', { name: 'Add one infected' }).click();
  await page.getByRole('list', { name: 'What happened' }).getByText('1 people added').waitFor();
  const end = Date.now() + BACK_MS_MAX;
  while ((await people()) <= before) {
    assert.ok(Date.now() < end, 'nobody new was seen');
    await page.waitForTimeout(300);
  }
});

test('the audit finds nothing missing', async () => {
  await page.getByRole('button', { name: 'Audit', exact: true }).click();
  await page.locator('[data-testid=verdict]').first().waitFor({ timeout: BACK_MS_MAX });
  assert.match(await page.getByTestId('verdict').last().innerText(), /Lost\s+0/);
});

test('a fleet is started from the form, is forked, stopped and deleted', async () => {
  await view('Runs').click();
  await page.getByRole('button', { name: 'New run' }).click();
  const form = page.getByRole('dialog', { name: 'New run' });
  await form.getByRole('button', { name: 'Fleet' }).click();
  await form.getByLabel('Name').fill('hamlet');
  await form.getByLabel('People', { exact: true }).fill('0');
  await form.getByRole('button', { name: 'Start' }).click();
  assert.equal(await form.locator('[aria-invalid=true]').first().getAttribute('data-field'), 'people');
  await form.getByLabel('People', { exact: true }).fill('300');
  await form.getByLabel('Seed').fill('5');
  await form.getByLabel('Speed').fill('10');
  await form.getByRole('button', { name: 'Start' }).click();
  await form.waitFor({ state: 'hidden' });
  await until(page, () => window.__coronaz?.frame?.count >= 300, undefined, START_MS_MAX);
  await until(page, () => window.__coronaz.latest > 30, undefined, START_MS_MAX);
  await page.getByRole('button', { name: 'Fork from here' }).click();
  const fork = page.getByRole('dialog', { name: 'Fork “hamlet”' });
  await fork.getByLabel('From second').fill('20');
  await fork.getByRole('textbox', { name: 'Infection radius' }).fill('4');
  await fork.getByRole('button', { name: 'Fork' }).click();
  await fork.waitFor({ state: 'hidden' });
  const end = Date.now() + START_MS_MAX;
  while (!(await fetchRuns()).some(({ name }) => name === 'hamlet, forked')) {
    assert.ok(Date.now() < end, 'the fork did not appear');
    await page.waitForTimeout(300);
  }
  await view('Runs').click();
  const hamlet = (await fetchRuns()).find(({ name }) => name === 'hamlet');
  const act = async (name) => {
    await row(hamlet.id).getByRole('button', { name: 'More for hamlet' }).click();
    await page.getByRole('menuitem', { name: new RegExp(`^${name}`) }).click();
  };
  await act('Stop');
  await row(hamlet.id).getByText('Over').waitFor({ timeout: BACK_MS_MAX });
  await act('Delete');
  await page.getByRole('button', { name: 'Delete hamlet' }).click();
  await row(hamlet.id).waitFor({ state: 'detached', timeout: BACK_MS_MAX });
});

test('nothing of all that reached the console as an error', () => assert.deepEqual(browser.errors, []));
