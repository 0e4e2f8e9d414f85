// Runs: the list, comparing, taking along; and what the operator does with them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hasPicture, look, openBrowser, openSite, signIn, until } from './browser.mjs';

const mocked = process.env.CORONAZ_URL ? 'needs the mock server' : false;
let site;
let browser;
let page;

before(async () => {
  site = await openSite({ people: 40, history: 90, crowd: 500 });
  browser = await openBrowser();
  page = browser.page;
  await page.goto(site.url);
  await hasPicture(page);
});
after(async () => {
  await browser.close();
  await site.close();
});

const fetchRuns = async () => (await (await fetch(`${site.url}/api/v1/runs`)).json()).runs;
const view = (name) => page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name });
const table = () => page.getByRole('table', { name: 'All runs, newest first' });
const row = (id) => page.locator(`tr[data-run="${id}"]`);
const act = async (run, name) => {
  await row(run.id)
    .getByRole('button', { name: /^More for/ })
    .click();
  await page.getByRole('menuitem', { name: new RegExp(`^${name}`) }).click();
};

test('every run is listed with its name, people and length', async () => {
  await view('Runs').click();
  await table().waitFor();
  const runs = await fetchRuns();
  for (const run of runs) {
    const text = await row(run.id).innerText();
    assert.ok(text.includes(run.name), `${run.name} in ${text}`);
    assert.match(text, /Live|Over/);
    assert.match(text, /\d+ (s|min|h)/);
  }
  assert.equal(await page.locator('tr[data-run]').count(), runs.length);
});

test('the address holds the view, and going back leads to the map', async () => {
  assert.match(page.url(), /page=runs/);
  await page.goBack();
  await page.locator('#map').waitFor();
  await page.keyboard.press('2');
  await table().waitFor();
});

test('a visitor is offered nothing that is the operator’s', async () => {
  const [run] = await fetchRuns();
  assert.equal(await page.getByRole('button', { name: 'New run' }).count(), 0);
  assert.equal(await view('Laboratory').count(), 0);
  await row(run.id)
    .getByRole('button', { name: /^More for/ })
    .click();
  const words = await page.getByRole('menu').innerText();
  assert.doesNotMatch(words, /Stop|Fork|Delete/);
  await page.keyboard.press('Escape');
});

test('a run goes along as CSV', async () => {
  const [run] = await fetchRuns();
  await row(run.id)
    .getByRole('button', { name: /^More for/ })
    .click();
  const link = page.getByRole('menuitem', { name: 'Infections' });
  const address = await link.getAttribute('href');
  assert.equal(address, `/api/v1/runs/${run.id}/export/infections.csv`);
  const answer = await fetch(site.url + address);
  assert.match(answer.headers.get('content-type'), /^text\/csv/);
  assert.match(await answer.text(), /^[a-z_]+,/);
  await page.keyboard.press('Escape');
});

test('a run opens on the map', async (t) => {
  const runs = await fetchRuns();
  if (runs.length < 2) return t.skip('there is only one run');
  await row(runs[1].id).getByRole('button', { name: /^Open/ }).click();
  await until(page, (id) => window.__coronaz?.run === id && window.__coronaz.frame !== undefined, runs[1].id);
  await page.keyboard.press('2');
  await row(runs[1].id).getByText('on the map').waitFor();
});

test('runs are compared in one chart, with a legend that filters, by keyboard and as a table', async (t) => {
  const runs = await fetchRuns();
  if (runs.length < 2) return t.skip('there is only one run');
  assert.ok(await page.getByRole('button', { name: 'Compare', exact: true }).isDisabled());
  for (const run of runs.slice(0, 2)) await row(run.id).getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Compare 2' }).click();
  const chart = page.getByRole('slider', { name: 'Infected, run by run' });
  await chart.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  const said = await chart.getAttribute('aria-valuetext');
  assert.match(said, /^At 0:0\d: /);
  for (const run of runs.slice(0, 2)) assert.ok(said.includes(run.name), said);
  const legend = page.getByRole('table', { name: 'Runs in the chart' });
  await legend.getByRole('checkbox', { name: `Show ${runs[0].name}` }).uncheck();
  await chart.focus();
  await page.keyboard.press('Home');
  assert.ok(!(await chart.getAttribute('aria-valuetext')).includes(`${runs[0].name} `));
  await legend.getByRole('checkbox', { name: `Show ${runs[0].name}` }).check();
  await page.getByRole('combobox', { name: 'Figure' }).click();
  await page.getByRole('option', { name: 'New infections a minute' }).click();
  await page.getByRole('slider', { name: 'New infections a minute, run by run' }).waitFor();
  await page.getByRole('button', { name: 'Share of people' }).click();
  await page.getByRole('button', { name: 'Show as a table' }).click();
  const values = page.getByRole('region', { name: 'New infections a minute, run by run' });
  assert.ok((await values.getByRole('row').count()) > 3);
});

test('a link to a comparison shows the same', async (t) => {
  if ((await fetchRuns()).length < 2) return t.skip('there is only one run');
  await until(page, () => /compare=[0-9a-f-]{36},/.test(location.search));
  const second = await openBrowser();
  await second.page.goto(page.url());
  await second.page.getByRole('slider', { name: 'Infected, run by run' }).waitFor();
  assert.deepEqual(second.errors, []);
  await second.close();
  await page.getByRole('button', { name: 'All runs' }).click();
  await table().waitFor();
});

test('the form starts a run from a scenario, and what is wrong stands at its field', {
  skip: mocked,
}, async () => {
  await signIn(page, site);
  await page.getByRole('button', { name: 'New run' }).click();
  const form = page.getByRole('dialog', { name: 'New run' });
  await form.getByRole('radio', { name: /paper/ }).check();
  assert.equal(await form.getByLabel('People', { exact: true }).inputValue(), '20');
  await form.getByRole('textbox', { name: 'Infection radius' }).fill('wide');
  await form.getByLabel('Name').fill('taken');
  await form.getByRole('button', { name: 'Start' }).click();
  const wrong = form.locator('[aria-invalid=true]');
  assert.equal(await wrong.count(), 1);
  assert.equal(await wrong.getAttribute('data-field'), 'infection_radius');
  assert.ok(await wrong.evaluate((field) => field === document.activeElement), 'it has the focus');
  // What only the server can know comes back from it, at its field too.
  await form.getByRole('textbox', { name: 'Infection radius' }).fill('3');
  await form.getByRole('button', { name: 'Start' }).click();
  await form.getByText('there is a run of that name already').waitFor();
  assert.equal(await form.locator('[aria-invalid=true]').getAttribute('data-field'), 'name');
  await form.getByLabel('Name').fill('tried');
  await form.getByRole('button', { name: 'Start' }).click();
  await page.locator('#map').waitFor();
  const started = (await fetchRuns())[0];
  assert.equal(started.name, 'tried');
  await until(page, (id) => window.__coronaz?.run === id, started.id);
  assert.equal(started.parameters.infection_radius, 3);
});

test('a run is stopped, and deleted when it was confirmed by name', { skip: mocked }, async () => {
  await page.keyboard.press('2');
  const [run] = await fetchRuns();
  await row(run.id).getByText('Live').waitFor();
  await act(run, 'Stop');
  await row(run.id).getByText('Over').waitFor();
  await act(run, 'Delete');
  const dialog = page.getByRole('dialog', { name: `Delete “${run.name}”?` });
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  assert.ok((await fetchRuns()).some(({ id }) => id === run.id));
  await act(run, 'Delete');
  await dialog.getByRole('button', { name: `Delete ${run.name}` }).click();
  await row(run.id).waitFor({ state: 'detached' });
  assert.ok(!(await fetchRuns()).some(({ id }) => id === run.id));
});

test('a fleet is forked from the day in view, with other parameters', { skip: mocked }, async () => {
  const crowd = (await fetchRuns()).find(({ kind }) => kind === 'fleet');
  await row(crowd.id).getByRole('button', { name: /^Open/ }).click();
  await until(page, (id) => window.__coronaz?.run === id && window.__coronaz.frame !== undefined, crowd.id);
  await page.keyboard.press('Home');
  for (const _ of [1, 2, 3]) await page.keyboard.press('.');
  await until(page, () => window.__coronaz.moment === 3);
  await page.getByRole('button', { name: 'Fork from here' }).click();
  const form = page.getByRole('dialog', { name: 'Fork “crowd”' });
  assert.equal(await form.getByLabel('From second').inputValue(), '3');
  await form.getByLabel('From second').fill('999999');
  await form.getByRole('button', { name: 'Fork' }).click();
  assert.equal(await form.locator('[aria-invalid=true]').getAttribute('data-field'), 'tick');
  await form.getByLabel('From second').fill('3');
  await form.getByRole('textbox', { name: 'Infection radius' }).fill('7');
  await form.getByRole('button', { name: 'Fork' }).click();
  await until(page, (old) => window.__coronaz && window.__coronaz.run !== old, crowd.id);
  const { run } = await look(page);
  const forked = (await fetchRuns()).find(({ id }) => id === run);
  assert.equal(forked.name, 'crowd, forked');
  assert.equal(forked.parameters.infection_radius, 7);
});

test('nothing on the page complained', () => {
  assert.deepEqual(browser.errors, []);
});
