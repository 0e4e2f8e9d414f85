// The operator: signing in, the parts alive, breaking and mending them, chaos and the audit. On the mock server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TOKEN } from '../mock/operator.mjs';
import { hasPicture, openBrowser, openSite, until } from './browser.mjs';

const skip = process.env.CORONAZ_URL ? 'laboratory/operator.test.mjs does the same with the real one' : false;
let site;
let browser;
let page;

before(async () => {
  if (skip) return;
  site = await openSite({ people: 40, history: 60 });
  browser = await openBrowser();
  page = browser.page;
  await page.goto(site.url);
  await hasPicture(page);
});
after(async () => {
  await browser?.close();
  await site?.close();
});

const view = (name) => page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name });
const part = (name) => page.getByRole('group', { name, exact: true });
const state = (name, wanted) => page.locator(`[data-part="${name}"][data-state="${wanted}"]`).waitFor();
const lag = () => page.getByTestId('growth').getAttribute('data-now').then(Number);
test('a visitor sees no trace of the laboratory but a quiet way to sign in', { skip }, async () => {
  assert.equal(await view('Laboratory').count(), 0);
  const words = await page.locator('body').innerText();
  assert.doesNotMatch(words, /broker|ingest|store|laboratory/i);
  await page.getByRole('button', { name: 'Operator: sign in' }).waitFor();
  await page.keyboard.press('3');
  assert.equal(await page.locator('#map').count(), 1);
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Keyboard' });
  assert.doesNotMatch(await help.innerText(), /laboratory/i);
  await page.keyboard.press('Escape');
  await help.waitFor({ state: 'hidden' });
});

test('a wrong token is refused at its field', { skip }, async () => {
  await page.getByRole('button', { name: 'Operator: sign in' }).click();
  const dialog = page.getByRole('dialog', { name: 'Operator' });
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.getByText('Type the token').waitFor();
  await dialog.getByLabel('Token').fill('not-the-token');
  await page.keyboard.press('Enter');
  await dialog.getByText('This is not the token.').waitFor();
});

test('the token signs in, and the laboratory is there', { skip }, async () => {
  const dialog = page.getByRole('dialog', { name: 'Operator' });
  await dialog.getByLabel('Token').fill(TOKEN);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  await view('Laboratory').click();
  for (const name of ['devices-1', 'broker', 'ingest', 'serve']) await part(name).waitFor();
  await page.getByRole('img', { name: /^From Ingest to Store: .*newest record .* old/ }).waitFor();
  await page.getByRole('img', { name: /^From Broker to Ingest: .*lag/ }).waitFor();
});

test('killing takes a second press, and the part comes back', { skip }, async () => {
  await part('broker').getByRole('button', { name: 'Kill broker' }).click();
  await state('broker', 'running');
  await part('broker').getByRole('button', { name: 'Kill broker: press again' }).click();
  await state('broker', 'waiting');
  await part('broker').getByText('Coming back').waitFor();
  await state('broker', 'running');
  await part('broker').getByText('1 restart').waitFor();
  const events = page.getByRole('list', { name: 'What happened' });
  await events.getByText('You killed broker').waitFor();
  await events.getByText('broker came back').waitFor();
});

test('while ingest is held up the lag grows, and drains when it goes on', { skip }, async () => {
  await part('ingest').getByRole('button', { name: 'Pause ingest' }).click();
  await state('ingest', 'paused');
  await until(
    page,
    () => Number(document.querySelector('[data-testid=growth]').dataset.now) > 80,
    undefined,
    15_000,
  );
  const most = await lag();
  await part('ingest').getByRole('button', { name: 'Resume ingest' }).click();
  await state('ingest', 'running');
  await until(
    page,
    (n) => Number(document.querySelector('[data-testid=growth]').dataset.now) < n / 2,
    most,
    15_000,
  );
  const chart = page.getByRole('slider', { name: 'Records not yet in the store, the last minutes' });
  await chart.focus();
  await page.keyboard.press('Home');
  assert.match(await chart.getAttribute('aria-valuetext'), /^At \d\d:\d\d:\d\d: [\d,]+ records behind$/);
  await page.getByRole('button', { name: 'Show as a table' }).click();
  assert.ok(
    (await page
      .getByRole('region', { name: /^Records not yet/ })
      .getByRole('row')
      .count()) > 3,
  );
});

test('people are added, infected ones too', { skip }, async () => {
  const before = site.mock.worlds[0].people.length;
  await page.getByRole('textbox', { name: 'People' }).fill('0');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText('From 1 to 100').waitFor();
  await page.getByRole('textbox', { name: 'People' }).fill('4');
  await page.getByRole('textbox', { name: 'Of these infected' }).fill('2');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const events = page.getByRole('list', { name: 'What happened' });
  await events.getByText('4 people added, 2 of them infected').waitFor();
  assert.ok(site.mock.worlds[0].people.length >= before + 4);
  await page.getByRole('button', { name: 'Add one infected' }).click();
  await events.getByText('1 people added, 1 of them infected').waitFor();
});

test('chaos is started and followed to its verdict', { skip }, async () => {
  await page.getByRole('textbox', { name: 'Minutes' }).fill('1');
  await page.getByRole('textbox', { name: 'Seed' }).fill('7');
  await page.getByRole('button', { name: 'Start chaos' }).click();
  await page.locator('[data-testid=chaos][data-state=running]').waitFor();
  await page.getByText('seed 7').waitFor();
  await page.getByRole('img', { name: 'When which part was at fault' }).waitFor();
  assert.ok((await page.getByRole('list', { name: 'Faults' }).getByRole('listitem').count()) > 0);
  await page.locator('[data-testid=chaos][data-state=done]').waitFor({ timeout: 20_000 });
  await page.locator('[data-testid=chaos] [data-testid=verdict][data-ok=true]').waitFor();
});

test('a chaos is stopped', { skip }, async () => {
  await page.getByRole('button', { name: 'Start chaos' }).click();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.locator('[data-testid=chaos][data-state=stopped]').waitFor();
});

test('the audit tells whether anything is missing', { skip }, async () => {
  await page.getByRole('button', { name: 'Audit', exact: true }).click();
  await page.getByRole('progressbar', { name: 'Comparing' }).waitFor();
  const verdict = page.getByTestId('verdict').last();
  await page.getByText('Nothing is missing').last().waitFor();
  assert.match(await verdict.innerText(), /Lost\s+0/);
});

test('what happened leads to the map as it was then', { skip }, async () => {
  const events = page.getByRole('list', { name: 'What happened' });
  await events
    .getByRole('button', { name: /on the map$/ })
    .last()
    .click();
  await page.locator('#map').waitFor();
  await until(page, () => window.__coronaz.mode === 'paused' && window.__coronaz.frame !== undefined);
  // The time is marked at which a part went away.
  await page.locator('[data-fault="broker went away"]').first().waitFor({ state: 'attached' });
});

test('the parts stay on show, gray, while the server is away', { skip }, async () => {
  await view('Laboratory').click();
  await part('broker').waitFor();
  site.mock.failure(true);
  await page.getByText('This is how the parts were then.').waitFor({ timeout: 15_000 });
  assert.equal(await part('broker').count(), 1);
  site.mock.failure(false);
  await page.getByText('This is how the parts were then.').waitFor({ state: 'hidden', timeout: 15_000 });
});

test('a session that has ended leads back to the map and to signing in', { skip }, async () => {
  site.mock.expire();
  await page.getByRole('dialog', { name: 'Operator' }).waitFor({ timeout: 15_000 });
  await page.getByText('You were signed out. Sign in to go on.').waitFor();
  assert.equal(await view('Laboratory').count(), 0);
  await page.keyboard.press('Escape');
  await page.locator('#map').waitFor();
  assert.equal(await page.locator('[data-fault]').count(), 0);
});

test('a link with the token signs in, and leaves no token in the address', { skip }, async () => {
  const second = await openBrowser();
  await second.page.goto(`${site.url}/#sign-in=${TOKEN}`);
  await second.page.getByText('Signed in as the operator.').waitFor();
  await second.page.getByRole('button', { name: 'Laboratory' }).waitFor();
  assert.ok(!second.page.url().includes(TOKEN));
  await second.page.reload();
  await hasPicture(second.page);
  await second.page.getByRole('button', { name: 'You are the operator' }).click();
  await second.page.getByRole('menuitem', { name: 'Sign out' }).click();
  await second.page.getByRole('button', { name: 'Operator: sign in' }).waitFor();
  await second.page.goto(`${site.url}/#sign-in=an-old-token`);
  await second.page.getByText('not this laboratory’s').waitFor();
  assert.deepEqual(second.errors, []);
  await second.close();
});

test('nothing on the page complained', { skip }, () => {
  assert.deepEqual(browser.errors, []);
});
