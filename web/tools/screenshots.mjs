// node tools/screenshots.mjs DIRECTORY [NAME=VALUE in the address …]: the page in light, dark and narrow.
import { join } from 'node:path';
import { hasPicture, openBrowser, openSite } from '../e2e/browser.mjs';

const [directory = '.', ...extra] = process.argv.slice(2);
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
  await browser.page.waitForTimeout(2500);
  await browser.page.screenshot({ path: join(directory, `${name}.png`) });
  if (browser.errors.length > 0) console.log(name, browser.errors);
  await browser.close();
}
await site.close();
