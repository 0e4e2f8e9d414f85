// node tools/screenshots.mjs DIRECTORY [VIEW …] [NAME=VALUE in the address …]: the page's views in light, dark, narrow, and narrow and dark.
// Views: map, person, go-to, help, crowd, runs, form, wrong, fork, compare, sign-in, operator, broken. Without one: map.
import { join } from 'node:path';
import { hasPicture, openBrowser, openSite } from '../e2e/browser.mjs';
import { TOKEN } from '../mock/operator.mjs';

const [directory = '.', ...words] = process.argv.slice(2);
const extra = words.filter((word) => word.includes('='));
const wanted = words.filter((word) => !word.includes('='));
const site = await openSite({ people: 60, history: 150, crowd: 20_000 });
const looks = [
  { name: 'light', viewport: { width: 1440, height: 900 }, colorScheme: 'light' },
  { name: 'dark', viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
  { name: 'narrow', viewport: { width: 400, height: 860 }, colorScheme: 'light', deviceScaleFactor: 2 },
  { name: 'narrow-dark', viewport: { width: 400, height: 860 }, colorScheme: 'dark', deviceScaleFactor: 2 },
];

const go = (page, name) =>
  page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name }).click();
/** Takes the line at the bottom of the page away. */
const dismiss = (page) =>
  page
    .getByRole('button', { name: 'Close' })
    .click({ timeout: 1500 })
    .catch(() => {});
const rows = (page) => page.locator('tbody tr');

const views = {
  map: async () => {},
  person: async (page) => {
    await page.evaluate(() => document.querySelector('#map').focus());
    await page.keyboard.press('Enter');
  },
  'go-to': async (page) => {
    await page.keyboard.press('g');
    await page.getByLabel('Day or time').fill('soon');
    await page.keyboard.press('Enter');
  },
  help: async (page) => page.keyboard.press('?'),
  crowd: async (page) => {
    await go(page, 'Runs');
    await page.getByRole('button', { name: 'Open crowd on the map' }).click();
    await page.waitForTimeout(800);
  },
  runs: async (page) => {
    await go(page, 'Runs');
    await rows(page).nth(1).waitFor();
  },
  form: async (page) => {
    await views.runs(page);
    await page.getByRole('button', { name: 'New run' }).click();
    await page.getByRole('textbox', { name: 'Infection radius' }).waitFor();
  },
  wrong: async (page) => {
    await views.form(page);
    await page.getByLabel('People', { exact: true }).fill('0');
    await page.getByRole('textbox', { name: 'Infection radius' }).fill('wide');
    await page.getByRole('textbox', { name: 'Infection cooldown' }).fill('25');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
  },
  fork: async (page) => {
    await views.runs(page);
    await page.getByRole('button', { name: 'More for crowd' }).click();
    await page.getByRole('menuitem', { name: 'Fork' }).click();
    await page.getByLabel('From second').waitFor();
  },
  menu: async (page) => {
    await views.runs(page);
    await page.getByRole('button', { name: 'More for town' }).click();
  },
  remove: async (page) => {
    await views.runs(page);
    await page.getByRole('button', { name: 'More for paper' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
  },
  compare: async (page) => {
    await views.runs(page);
    await page.getByRole('checkbox', { name: 'Compare town' }).check();
    await page.getByRole('checkbox', { name: 'Compare paper' }).check();
    await page.getByRole('button', { name: 'Compare 2' }).click();
    await page.getByRole('slider').first().waitFor();
    await page.waitForTimeout(500);
    await page.mouse.move(600, 320);
  },
  'sign-in': async (page) => {
    await page.getByTestId('operator').click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Operator: sign in' }).click();
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  },
  operator: async (page) => {
    await go(page, 'Laboratory');
    await page.locator('[data-part=ingest]').waitFor();
    await page.waitForTimeout(6000);
  },
  broken: async (page) => {
    await views.operator(page);
    await page.getByRole('button', { name: 'Pause ingest' }).click();
    await page.waitForTimeout(7000);
    await page.getByRole('button', { name: 'Resume ingest' }).click();
    await page.waitForTimeout(3000);
    await page.getByRole('textbox', { name: 'Minutes' }).fill('1');
    await page.getByRole('button', { name: 'Start chaos' }).click();
    await page.getByRole('button', { name: 'Audit', exact: true }).click();
    await page.waitForTimeout(3500);
    await dismiss(page);
  },
};

for (const view of wanted.length > 0 ? wanted : ['map']) {
  for (const { name, ...options } of looks) {
    const browser = await openBrowser(options);
    const visitor = ['map', 'person', 'go-to', 'help', 'crowd'].includes(view);
    await browser.page.goto(`${site.url}/?${extra.join('&')}${visitor ? '' : `#sign-in=${TOKEN}`}`);
    await hasPicture(browser.page);
    if (!visitor) await browser.page.getByRole('button', { name: 'Laboratory' }).waitFor();
    await dismiss(browser.page);
    await views[view](browser.page);
    await browser.page.waitForTimeout(1500);
    const file = view === 'map' ? `${name}.png` : `${view}-${name}.png`;
    await browser.page.screenshot({ path: join(directory, file), fullPage: name.startsWith('narrow') });
    if (browser.errors.length > 0) console.log(view, name, browser.errors);
    await browser.close();
  }
}
await site.close();
