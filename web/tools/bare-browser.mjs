// A browser that nothing watches but what is asked: playwright listens to the network, for which the page's process
// keeps what was loaded, up to 100 MB of it. Memory would be seen to grow that a visitor's does not.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';

const START_MS_MAX = 30_000;
const POLL_MS = 50;
const FLAGS = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-sync'];
const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-quic'];
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Opens an address; `send` speaks to the page, `ask` to the browser, and `evaluate` runs an expression in the page. */
export async function openBare(url, { width, height }) {
  const profile = await mkdtemp(join(tmpdir(), 'coronaz-bare-'));
  const child = spawn(
    process.env.CHROMIUM ?? '/usr/bin/chromium',
    [
      ...FLAGS,
      ...QUIET,
      `--window-size=${width},${height}`,
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
    ],
    { stdio: 'ignore' },
  );
  process.once('exit', () => child.kill('SIGKILL'));
  const socket = new WebSocket(await address(profile), { perMessageDeflate: false });
  await new Promise((done, fail) => socket.once('open', done).once('error', fail));
  const waiting = new Map();
  let id = 0;
  socket.on('message', (text) => {
    const { id: answered, result, error } = JSON.parse(text.toString());
    const { done, fail } = waiting.get(answered) ?? {};
    waiting.delete(answered);
    if (error) fail?.(new Error(error.message));
    else done?.(result);
  });
  const call = (method, params = {}, sessionId = undefined) =>
    new Promise((done, fail) => {
      id += 1;
      waiting.set(id, { done, fail });
      socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
  const { targetId } = await call('Target.createTarget', { url });
  const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true });
  const send = (method, params) => call(method, params, sessionId);
  return {
    send,
    ask: call,
    async evaluate(expression) {
      const { result, exceptionDetails } = await send('Runtime.evaluate', {
        expression,
        returnByValue: true,
      });
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    },
    async until(expression, timeoutMs) {
      // While a page is being loaded there is nothing to ask, and no answer is a no.
      const holds = () => this.evaluate(expression).catch(() => false);
      for (const end = Date.now() + timeoutMs; !(await holds()); await pause(POLL_MS))
        if (Date.now() > end) throw new Error(`never: ${expression}`);
    },
    async close() {
      const over = new Promise((done) => child.once('exit', done));
      await Promise.race([call('Browser.close').catch(() => {}), pause(2000)]);
      await Promise.race([over, pause(5000)]);
      child.kill('SIGKILL');
      await rm(profile, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Where the browser listens, as it writes it into its profile. */
async function address(profile) {
  for (const end = Date.now() + START_MS_MAX; Date.now() < end; await pause(POLL_MS)) {
    const text = await readFile(join(profile, 'DevToolsActivePort'), 'utf8').catch(() => '');
    const [port, path] = text.split('\n');
    if (path) return `ws://127.0.0.1:${port}${path}`;
  }
  throw new Error('the browser does not start');
}
