// What axe-core is asked on every view, and how one gets there.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TOKEN } from '../mock/operator.mjs';
import { complaints } from './axe.mjs';
import { hasPicture, openBrowser, openSite, until } from './browser.mjs';

let site;

before(async () => {
  site = await openSite({ people: 40, history: 60 });
});
after(() => site.close());

const views = [
  ['the page', async () => {}],
  [
    'a selected person',
    async (page) => {
      await page.locator('#map').focus();
      await page.keyboard.press('Enter');
      await until(page, () => window.__coronaz.person !== undefined);
      await page.getByRole('tab', { name: 'Encounters' }).click();
      await page.waitForTimeout(600);
    },
  ],
  [
    'a chain of infections',
    async (page) => {
      const { run } = await page.evaluate(() => ({ run: window.__coronaz.run }));
      const { infections } = await (
        await fetch(`${site.url}/api/v1/runs/${run}/infections?limit=1000`)
      ).json();
      const infector = infections.find((infection) => infection.infector)?.infector;
      if (infector === undefined) return;
      await page.keyboard.press('/');
      await page.keyboard.type(infector);
      await page.keyboard.press('Enter');
      await until(page, (id) => window.__coronaz.person === id, infector);
      await page.getByRole('tab', { name: 'Infections' }).click();
      await page.getByText('As a list').click();
    },
  ],
  [
    'paused, realism, the table of the curve',
    async (page) => {
      await page.keyboard.press('Escape');
      await page.keyboard.press('Home');
      await page.keyboard.press('r');
      await page.getByRole('button', { name: 'Show as a table' }).click();
      await page.waitForTimeout(600);
    },
  ],
  [
    'going to a time, refused',
    async (page) => {
      await page.keyboard.press('g');
      await page.getByLabel('Day or time').fill('soon');
      await page.keyboard.press('Enter');
      await page.getByText('Neither a day').waitFor();
      await page.waitForTimeout(500);
    },
  ],
  [
    'the list of keys',
    async (page) => {
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      await page.keyboard.press('?');
      await page.waitForTimeout(600);
    },
  ],
  [
    'the list of runs',
    async (page) => {
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      await page.keyboard.press('2');
      await page.locator('tr[data-run]').first().waitFor();
    },
  ],
  [
    'what can be done with a run',
    async (page) => {
      await page
        .getByRole('button', { name: /^More for/ })
        .first()
        .click();
      await page.waitForTimeout(600);
    },
  ],
  [
    'runs compared, with the table of the chart',
    async (page) => {
      await page.keyboard.press('Escape');
      const boxes = page.getByRole('checkbox');
      if ((await boxes.count()) < 2) return;
      for (const box of [boxes.nth(0), boxes.nth(1)]) await box.check();
      await page.getByRole('button', { name: 'Compare 2' }).click();
      await page.getByRole('button', { name: 'Show as a table' }).click();
      await page.waitForTimeout(600);
    },
  ],
];

/** What only the operator sees; the mock server has a laboratory for it. */
const operatorViews = [
  [
    'signing in, refused',
    async (page) => {
      await page.getByRole('button', { name: 'Operator: sign in' }).click();
      await page.getByLabel('Token').fill('not-the-token');
      await page.keyboard.press('Enter');
      await page.getByText('This is not the token.').waitFor();
      await page.waitForTimeout(600);
    },
  ],
  [
    'the laboratory',
    async (page) => {
      await page.getByLabel('Token').fill(TOKEN);
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Laboratory' }).click();
      await page.locator('[data-part=broker]').waitFor();
      await page.waitForTimeout(1500);
    },
  ],
  [
    'the laboratory, broken, with what came of it',
    async (page) => {
      await page.getByRole('button', { name: 'Pause ingest' }).click();
      await page.getByRole('button', { name: 'Kill broker' }).click();
      await page.getByRole('textbox', { name: 'Minutes' }).fill('1');
      await page.getByRole('button', { name: 'Start chaos' }).click();
      await page.getByRole('button', { name: 'Audit', exact: true }).click();
      await page.getByText('Nothing is missing').first().waitFor();
      await page.locator('[data-testid=chaos][data-state=done]').waitFor({ timeout: 20_000 });
    },
  ],
  [
    'the form of a run, with what is wrong',
    async (page) => {
      await page.keyboard.press('2');
      await page.getByRole('button', { name: 'All runs' }).click();
      await page.getByRole('button', { name: 'New run' }).click();
      await page.getByText('Beyond the paper').click();
      await page.getByRole('textbox', { name: 'Infection radius' }).fill('wide');
      await page.getByRole('button', { name: 'Start', exact: true }).click();
      await page.waitForTimeout(600);
    },
  ],
  [
    'deleting a run',
    async (page) => {
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'More for paper' }).click();
      await page.getByRole('menuitem', { name: /^Delete/ }).click();
      await page.waitForTimeout(600);
    },
  ],
];

/** A test that goes through all views with a browser of these options. */
export function everyView(name, options) {
  test(`axe finds nothing when the page is ${name}`, async () => {
    const browser = await openBrowser(options);
    try {
      const { page } = browser;
      await page.goto(site.url);
      await hasPicture(page);
      await page.waitForTimeout(800);
      for (const [view, go] of [...views, ...(site.mock ? operatorViews : [])]) {
        await go(page);
        assert.deepEqual(await complaints(page), [], view);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(overflow <= 0, `${view}: ${overflow} px wider than the window`);
      }
    } finally {
      await browser.close();
    }
  });
}
