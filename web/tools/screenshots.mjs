// node tools/screenshots.mjs DIRECTORY [person] [NAME=VALUE in the address …]: the page in light, dark and narrow;
// with `person` somebody is selected.
import { join } from 'node:path';
import { hasPicture, openBrowser, openSite } from '../e2e/browser.mjs';

const [directory = '.', ...words] = process.argv.slice(2);
const withPerson = words.includes('person');
const extra = words.filter((word) => word !== 'person');
const site = await openSite({ people: 60, history: 150 });
const looks = [
  { name: 'light', viewport: { width: 1440, height: 900 }, colorScheme: 'light' },
  { name: 'dark', viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
  { name: 'narrow', viewport: { width: 400, height: 860 }, colorScheme: 'light', deviceScaleFactor: 2 },
];
for (const { name, ...options } of looks) {
  const browser = await openBrowser(options);
  await browser.page.goto(`${site.url}/?${extra.join('&')}`);
  await hasPicture(browser.page);
  if (withPerson) {
    await browser.page.evaluate(() => document.querySelector('#map').focus());
    await browser.page.keyboard.press('Enter');
  }
  await browser.page.waitForTimeout(2500);
  await browser.page.screenshot({ path: join(directory, `${name}.png`) });
  if (browser.errors.length > 0) console.log(name, browser.errors);
  await browser.close();
}
await site.close();
