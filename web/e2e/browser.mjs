// Opens the page in Debian's (or any) Chromium. CORONAZ_URL names the page; without it a mock server is started.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { TOKEN } from '../mock/operator.mjs';
import { startMock } from '../mock/server.mjs';

const CLOSE_MS_MAX = 5000;
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Where the page is: the real stack, or a mock server that the test owns (`mock` is set then). */
export async function openSite(options = {}) {
  const url = process.env.CORONAZ_URL;
  if (url) return { url: url.replace(/\/$/, ''), mock: undefined, close: async () => {} };
  const mock = await startMock(options);
  return { url: mock.url, mock, close: () => mock.close() };
}

/** A browser with a profile of its own; `errors` collects what the page complains of. */
export async function openBrowser(options = {}) {
  const profile = await mkdtemp(join(tmpdir(), 'coronaz-e2e-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: FLAGS,
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    const text = message.text();
    // A failed request is what some tests are about, and the browser says so by itself; it also says that a header is for
    // encrypted pages alone, of each page of another machine.
    const usual =
      /Failed to load resource|WebSocket connection|Cross-Origin-Opener-Policy header has been ignored/;
    if (message.type() === 'error' && !usual.test(text)) errors.push(text);
  });
  return {
    context,
    page,
    errors,
    async close() {
      await Promise.race([context.close(), new Promise((done) => setTimeout(done, CLOSE_MS_MAX).unref())]);
      await rm(profile, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** What no visitor is told: which part failed, and how. A figure may well be 502. */
export const INSIDE_STORY =
  /HTTP|status 5|50\d (internal|bad|service|gateway)|error|kafka|broker|database|store|ingest|server/i;

/** What the page shows now, by its own account. */
export const look = (page) =>
  page.evaluate(() => window.__coronaz && { ...window.__coronaz, frame: undefined });

/** Waits until the page's own account satisfies a condition (a function sent to the page). */
export function until(page, condition, argument, timeout = 10_000) {
  return page.waitForFunction(condition, argument, { timeout, polling: 50 });
}

export const hasPicture = (page) =>
  until(page, () => {
    const frame = window.__coronaz?.frame;
    return frame !== undefined && (frame.count > 0 || frame.density !== undefined);
  });

/** Becomes the operator by a link, as the laboratory prints it; CORONAZ_TOKEN is the real one's token. */
export async function signIn(page, site) {
  const address = new URL(page.url());
  address.hash = `sign-in=${process.env.CORONAZ_TOKEN ?? TOKEN}`;
  // A change of the part behind # alone would not load the page.
  await page.goto('about:blank');
  await page.goto(address.href.startsWith(site.url) ? address.href : site.url + address.hash);
  await page.getByRole('button', { name: 'You are the operator' }).waitFor();
}
