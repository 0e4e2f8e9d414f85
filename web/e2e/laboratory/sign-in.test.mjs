// Signing in with a browser at the real laboratory, wherever it is: CORONAZ_URL names it, CORONAZ_TOKEN opens it. Run by
// scripts/sign-in.sh on loopback, from another machine, and below a prefix behind nginx.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { complaints } from '../axe.mjs';
import { hasPicture, openBrowser, openSite } from '../browser.mjs';

const { CORONAZ_TOKEN, CORONAZ_PICTURES } = process.env;
/** On the laboratory's own machine reading needs no token. */
const readsFreely = /\/\/127\./.test(process.env.CORONAZ_URL ?? '');
let site;
let browser;
let page;
let run;

before(async () => {
  assert.ok(CORONAZ_TOKEN && process.env.CORONAZ_URL, 'scripts/sign-in.sh starts the laboratory');
  site = await openSite();
  browser = await openBrowser();
  page = browser.page;
  const headers = { authorization: `Bearer ${CORONAZ_TOKEN}` };
  const end = Date.now() + 60_000;
  while (run === undefined) {
    const { runs } = await (await fetch(`${site.url}/api/v1/runs`, { headers })).json();
    run = runs.find(({ moments }) => moments > 5)?.id;
    assert.ok(Date.now() < end, 'no run has a picture');
    await new Promise((done) => setTimeout(done, 200));
  }
});
after(async () => {
  await browser?.close();
  await site?.close();
});

const deepLink = () => `${site.url}/?run=${run}&moment=3&renderer=canvas`;
const token = () => page.getByLabel('Token');
const isOperator = () => page.getByRole('button', { name: 'You are the operator' }).waitFor();
const picture = async (name) =>
  CORONAZ_PICTURES &&
  page.screenshot({ path: `${CORONAZ_PICTURES}/${name}-${readsFreely ? 'here' : 'there'}.png` });

test('a link leads to the form where it needs the token, and the form is clean for everybody', async () => {
  await page.goto(
    readsFreely
      ? `${site.url}/login?next=${encodeURIComponent(new URL(deepLink()).search.replace('?', '/?'))}`
      : deepLink(),
  );
  await page.getByRole('heading', { name: 'CoronaZ: sign in' }).waitFor();
  for (const colorScheme of ['light', 'dark'])
    for (const width of [1280, 390]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      assert.deepEqual(await complaints(page), [], `${colorScheme}, ${width} wide`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
      await picture(`login-${colorScheme}-${width}`);
    }
  assert.equal(
    await page.evaluate(() => getComputedStyle(document.querySelector('main')).borderRadius),
    '10px',
  );
});

test('a wrong token shows the form again, with what is wrong beside the field', async () => {
  await token().fill('not-the-token-at-all');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('This is not the token.').waitFor();
  assert.equal(await token().getAttribute('aria-invalid'), 'true');
  assert.deepEqual(await complaints(page), []);
  await picture('login-wrong');
});

test('the right token leads to the link that was asked for, and the live connection is there', async () => {
  await token().fill(CORONAZ_TOKEN);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => !url.pathname.endsWith('/login'));
  await hasPicture(page);
  await isOperator();
  const { searchParams } = new URL(page.url());
  assert.deepEqual([searchParams.get('run'), searchParams.get('moment')], [run, '3']);
  assert.ok(page.url().startsWith(`${site.url}/`), page.url());
});

test('what the operator does goes through, and files are found', async () => {
  const { pathname } = new URL(`${site.url}/`);
  const answers = await page.evaluate(async (root) => {
    const status = async (path, options) => (await fetch(root + path, options)).status;
    return [
      await status('api/v1/laboratory'),
      await status('api/v1/laboratory/parts/no-such-part/kill', { method: 'POST' }),
    ];
  }, pathname);
  assert.deepEqual(answers, [200, 404]);
  const [cookie] = (await browser.context.cookies()).filter(({ name }) => name === 'coronaz');
  assert.equal(
    cookie.path,
    pathname === '/' ? '/' : pathname.slice(0, -1),
    'no other program of this host is sent it',
  );
});

test('after signing out a copy of the cookie opens nothing', async () => {
  const [{ value }] = (await browser.context.cookies()).filter(({ name }) => name === 'coronaz');
  await page.getByRole('button', { name: 'You are the operator' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  if (readsFreely) await page.getByRole('button', { name: 'Operator: sign in' }).waitFor();
  // Where reading needs the token as well, the way back in is shown at once.
  else await page.getByRole('heading', { name: 'CoronaZ: sign in' }).waitFor();
  const stolen = await fetch(`${site.url}/api/v1/laboratory`, { headers: { cookie: `coronaz=${value}` } });
  assert.equal(stolen.status, 401);
});

test('the link with the token behind # signs in by itself and leaves no trace in the address', async () => {
  await page.goto('about:blank');
  await page.goto(`${deepLink()}#sign-in=${encodeURIComponent(CORONAZ_TOKEN)}`);
  await hasPicture(page);
  await isOperator();
  assert.doesNotMatch(page.url(), /sign-in|#./);
  assert.equal(new URL(page.url()).searchParams.get('run'), run);
});

test('an address where nothing is says so on a small page with a way to the map', async () => {
  await page.setViewportSize({ width: 1280, height: 800 });
  const answer = await page.goto(`${site.url}/no/such`);
  assert.equal(answer.status(), 404);
  await page.getByRole('heading', { name: 'Not Found' }).waitFor();
  assert.deepEqual(await complaints(page), []);
  await picture('missing');
  await page.getByRole('link', { name: 'To the map' }).click();
  await hasPicture(page);
  assert.ok(page.url().startsWith(`${site.url}/`), page.url());
});

test('nothing on any of these pages complained', () => assert.deepEqual(browser.errors, []));
