// What a stranger announced: a blank name, and a time that no Date can hold. The page shows everything else as before, and
// that run too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasPicture, openBrowser, openSite } from './browser.mjs';

test('an absurd run takes nothing over, is listed, and can be opened', async (t) => {
  const site = await openSite();
  if (site.mock === undefined) return t.skip('the real stack refuses such an announcement');
  const browser = await openBrowser();
  const { page } = browser;
  try {
    site.mock.stranger();
    await page.goto(site.url);
    await hasPicture(page);
    const chooser = page.getByRole('combobox', { name: 'Run' });
    assert.equal(await chooser.textContent(), 'town', 'the run that is going on');
    await chooser.click();
    await page.getByRole('option', { name: /unnamed/ }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('navigation').getByText('Runs').click();
    await page.getByRole('table').waitFor();
    await page.getByRole('table').getByText('unnamed').click();
    await page.waitForFunction(() => document.body.innerText.includes('unnamed'));
    await hasPicture(page);
    site.mock.stranger();
    await page.waitForTimeout(300);
    assert.ok((await page.locator('main').textContent()).length > 0, 'the page is not white');
    assert.deepEqual(browser.errors, []);
  } finally {
    await browser.close();
    await site.close();
  }
});
