// The operator's view of a real laboratory: parts that are really killed, runs that are really started.
// Needs CORONAZ_URL and CORONAZ_DATA_DIR.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hasPicture, openBrowser, openSite, signIn, until } from '../browser.mjs';

const BACK_MS_MAX = 40_000;
const START_MS_MAX = 60_000;
const CHAOS_MS_MAX = 90_000;
/** Enough for the page to ask for what it shows only. */
const CROWD = 60_000;
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
const partNow = (name) =>
  page.evaluate(
    async (wanted) =>
      (await (await fetch('/api/v1/laboratory')).json()).parts.find((one) => one.name === wanted),
    name,
  );
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

test('a part is restarted in order, and what happened is marked beside the time', async () => {
  const { restarts } = await partNow('broker');
  await part('broker').getByRole('button', { name: 'Restart broker' }).click();
  const end = Date.now() + BACK_MS_MAX;
  while ((await partNow('broker')).restarts <= restarts) {
    assert.ok(Date.now() < end, 'the broker was not started again');
    await page.waitForTimeout(200);
  }
  await state('broker', 'running');
  await view('Map').click();
  await page.locator('[data-fault]').first().waitFor({ state: 'attached' });
  await view('Laboratory').click();
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

test('chaos is started, breaks parts, is ended early, and its audit finds nothing missing', async () => {
  const chaos = page.getByTestId('chaos');
  await page.getByRole('textbox', { name: 'Minutes' }).fill('1');
  await page.getByRole('textbox', { name: 'Seed' }).fill('7');
  await page.getByRole('button', { name: 'Start chaos' }).click();
  await page.locator('[data-testid=chaos][data-state=running]').waitFor();
  await chaos.getByText('seed 7').waitFor();
  const faults = page.getByRole('list', { name: 'Faults' }).getByRole('listitem');
  await faults.nth(1).waitFor({ timeout: CHAOS_MS_MAX });
  await page.getByRole('img', { name: 'When which part was at fault' }).waitFor();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await chaos.getByTestId('verdict').waitFor({ timeout: CHAOS_MS_MAX });
  assert.equal(await chaos.getByTestId('verdict').getAttribute('data-ok'), 'true', await chaos.innerText());
  for (const name of ['broker', 'ingest', 'serve']) await state(name, 'running');
});

test('a fleet is started from the form and forked', async () => {
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
});

/** The run of a name, as the server tells of it. */
const runOf = async (name) => (await fetchRuns()).find((run) => run.name === name);

test('a fork begins where it left the other run: its slider, its first key, a link to before', async () => {
  const fork = await runOf('hamlet, forked');
  assert.equal(fork.first_moment, 20);
  const open = async (moment) => {
    await page.goto(`${site.url}/?renderer=canvas&run=${fork.id}&moment=${moment}`);
    await until(
      page,
      // With a second after it: the fork may have just begun.
      () =>
        window.__coronaz?.frame !== undefined &&
        window.__coronaz.moment === 20 &&
        window.__coronaz.latest > 20,
      undefined,
      START_MS_MAX,
    );
  };
  await open(3);
  assert.match(await page.getByTestId('mode').innerText(), /^Paused/);
  const slider = page.getByRole('slider', { name: 'Day' });
  assert.equal(await slider.getAttribute('min'), '20');
  await page.keyboard.press('.');
  await until(page, () => window.__coronaz.moment === 21);
  for (const key of ['Home', ',', 'Shift+ArrowLeft']) {
    await page.keyboard.press(key);
    await until(page, () => window.__coronaz.wanted === 20 && window.__coronaz.moment === 20);
  }
  assert.equal(await page.getByRole('button', { name: 'Fork from here' }).count(), 0);
});

test('the fork and its origin are laid over one another, and part where they parted', async () => {
  await view('Runs').click();
  const [fork, hamlet] = [await runOf('hamlet, forked'), await runOf('hamlet')];
  await row(fork.id).getByText('fork of hamlet at 0:20').waitFor();
  for (const { id } of [hamlet, fork]) await row(id).getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Compare 2' }).click();
  const chart = page.getByRole('slider', { name: 'Infected, run by run' });
  await chart.focus();
  await page.keyboard.press('Home');
  assert.match(await chart.getAttribute('aria-valuetext'), /^At 0:00: hamlet \d+, hamlet, forked –/);
  for (let i = 0; i < 21; i += 1) await page.keyboard.press('ArrowRight');
  assert.match(await chart.getAttribute('aria-valuetext'), /hamlet \d+, hamlet, forked \d+/);
  await page.getByRole('button', { name: 'All runs' }).click();
});

test('a crowd is a density of the server’s until one looks closer, and icons say where they end', async () => {
  await page.getByRole('button', { name: 'New run' }).click();
  const form = page.getByRole('dialog', { name: 'New run' });
  await form.getByRole('button', { name: 'Fleet' }).click();
  await form.getByLabel('Name').fill('crowd');
  await form.getByLabel('People', { exact: true }).fill(String(CROWD));
  await form.getByLabel('Infected at first').fill('300');
  await form.getByRole('textbox', { name: 'Field width' }).fill('2000');
  await form.getByRole('textbox', { name: 'Field height' }).fill('1500');
  await form.getByRole('button', { name: 'Start' }).click();
  await form.waitFor({ state: 'hidden' });
  await until(page, (people) => window.__coronaz?.frame?.density?.inView === people, CROWD, START_MS_MAX);
  await until(page, () => window.__coronaz.drawing === 'density');
  await page.getByText('Zoom in to see people.').waitFor();
  assert.ok(await page.evaluate(() => window.__coronaz.frame.count <= 256), 'nobody is sent one by one');
  assert.equal((await page.evaluate(() => window.__coronaz.figures)).total, CROWD);
  await page.locator('#map').focus();
  for (let i = 0; i < 3; i += 1) await page.keyboard.press('+');
  await until(page, () => window.__coronaz.frame.density === undefined && window.__coronaz.frame.slots);
  const inWindow = await page.evaluate(() => window.__coronaz.frame.count);
  assert.ok(inWindow > 3000 && inWindow < CROWD, `${inWindow} people`);
  await page.getByRole('switch', { name: 'Realism' }).check();
  await page.getByText('Too many in view').waitFor();
  await page.locator('#map').focus();
  for (let i = 0; i < 5; i += 1) await page.keyboard.press('+');
  await until(page, () => window.__coronaz.drawing === 'icons');
  await page.getByText('Too many in view').waitFor({ state: 'hidden' });
  await page.getByRole('switch', { name: 'Realism' }).uncheck();
  await page.locator('#map').focus();
  await page.keyboard.press('Enter');
  await until(page, () => window.__coronaz.person !== undefined);
});

test('a run is stopped and deleted', async () => {
  await view('Runs').click();
  const act = async ({ id, name }, what) => {
    await row(id)
      .getByRole('button', { name: `More for ${name}`, exact: true })
      .click();
    await page.getByRole('menuitem', { name: new RegExp(`^${what}`) }).click();
  };
  for (const name of ['crowd', 'hamlet']) {
    const run = await runOf(name);
    await act(run, 'Stop');
    await row(run.id).getByText('Over').waitFor({ timeout: BACK_MS_MAX });
    await act(run, 'Delete');
    await page.getByRole('button', { name: `Delete ${name}` }).click();
    await row(run.id).waitFor({ state: 'detached', timeout: BACK_MS_MAX });
  }
});

test('nothing of all that reached the console as an error', () => assert.deepEqual(browser.errors, []));
