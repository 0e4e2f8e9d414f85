// axe-core finds nothing on any view, light and dark, wide and narrow.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { hasPicture, openBrowser, openSite, until } from './browser.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
let site;

before(async () => {
  site = await openSite({ people: 40, history: 60 });
});
after(() => site.close());

async function complaints(page) {
  const { violations } = await page.evaluate((tags) => window.axe.run({ runOnly: tags }), TAGS);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.target.join(' ')).join(', ')}`);
}

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
    'the list of keys',
    async (page) => {
      await page.keyboard.press('?');
      await page.waitForTimeout(600);
    },
  ],
];

for (const [name, options] of [
  ['wide and light', { colorScheme: 'light' }],
  ['wide and dark', { colorScheme: 'dark' }],
  ['narrow', { colorScheme: 'light', viewport: { width: 390, height: 844 } }],
]) {
  test(`axe finds nothing when the page is ${name}`, async () => {
    // The policy of the page forbids scripts of others, axe among them.
    const browser = await openBrowser({ ...options, bypassCSP: true });
    try {
      const { page } = browser;
      await page.goto(site.url);
      await hasPicture(page);
      await page.waitForTimeout(800);
      await page.addScriptTag({ path: AXE });
      for (const [view, go] of views) {
        await go(page);
        assert.deepEqual(await complaints(page), [], view);
      }
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `${overflow} px wider than the window`);
    } finally {
      await browser.close();
    }
  });
}
