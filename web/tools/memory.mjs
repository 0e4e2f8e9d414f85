// node tools/memory.mjs [--minutes 60] [--seeks 500] [--people 20000] [--coronaz PATH] [--out FILE.svg]
// Does the page's memory stay flat? A real laboratory (started here, in a folder of its own) streams a fleet at 1 Hz to a
// headless browser; each minute a share of the seeks goes to random moments, then back to live. After each minute and a
// forced collection: JavaScript heap, array buffers, DOM nodes, listeners, the memory of the renderer's process (resident,
// and its private part) and of `serve`. Prints a line a minute and the slope; with --out also a picture.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { openBare } from './bare-browser.mjs';
import { memoryPicture } from './memory-picture.mjs';

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seeks: { type: 'string', default: '500' },
    people: { type: 'string', default: '20000' },
    coronaz: { type: 'string' },
    dist: { type: 'string', default: 'dist' },
    out: { type: 'string' },
  },
});
const [minutes, seeks, people] = [flags.minutes, flags.seeks, flags.people].map(Number);
const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), '.cache/coronaz/target');
const program = resolve(flags.coronaz ?? join(target, 'release/coronaz'));
const MINUTE_MS = 60_000;
const START_MS_MAX = 60_000;
const WAIT_MS_MAX = 20_000;
const IS_THERE =
  "window.__coronaz.mode === 'paused' && window.__coronaz.frame.moment === window.__coronaz.wanted";
/** Slopes leave out what the page does at first: caches fill, code is compiled. */
const WARM_MINUTES = 5;
const RUN_SETTLES_MS = 15_000;
const run = promisify(execFile);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

if (!existsSync(program)) {
  console.error(
    `memory: no program at ${program}; build it (cargo build --release), or name it with --coronaz`,
  );
  process.exit(64);
}

/** A port that is free now. */
const freePort = () =>
  new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });

/** Starts a program and waits until it says something; everything it says is thrown away afterwards. */
async function start(args, ready) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const found = new Promise((done, fail) => {
    const hear = (chunk) => {
      if (said.length > 1e5) return;
      said += chunk;
      const match = ready.exec(said);
      if (match) done(match);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', (code) =>
      fail(new Error(`coronaz ${args[0]} ended with ${code}:\n${said.slice(-2000)}`)),
    );
    setTimeout(
      () => fail(new Error(`coronaz ${args[0]} is not ready:\n${said.slice(-2000)}`)),
      START_MS_MAX,
    ).unref();
  });
  return { child, match: await found };
}

function ends(child) {
  if (child.exitCode !== null) return undefined;
  const over = new Promise((done) => child.once('exit', done));
  child.kill('SIGINT');
  return Promise.race([over, pause(10_000)]);
}

/** Resident memory of a process, MB; or its private part, which leaves out code and pictures on their way to the screen. */
async function residentMb(pid, part = 'VmRSS') {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(new RegExp(`${part}:\\s+(\\d+)`).exec(status)?.[1] ?? Number.NaN) / 1024;
}

async function sample(browser, serve) {
  await browser.send('HeapProfiler.collectGarbage');
  await browser.send('HeapProfiler.collectGarbage');
  const heap = await browser.send('Runtime.getHeapUsage');
  const dom = await browser.send('Memory.getDOMCounters');
  const { processInfo } = await browser.ask('SystemInfo.getProcessInfo');
  const ofRenderers = async (part) => {
    const pids = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
    return Math.max(...(await Promise.all(pids.map((pid) => residentMb(pid, part)))));
  };
  return {
    heapMb: heap.usedSize / 2 ** 20,
    buffersMb: (heap.backingStorageSize ?? Number.NaN) / 2 ** 20,
    nodes: dom.nodes,
    listeners: dom.jsEventListeners,
    rendererMb: await ofRenderers('VmRSS'),
    privateMb: await ofRenderers('RssAnon'),
    serveMb: await residentMb(serve),
  };
}

/** One seek by the visitor's own means: a press somewhere on the slider. Returns how long until it was on show, ms. */
async function seekAnywhere(browser) {
  const box = await browser.evaluate(
    `(() => { const box = document.querySelector('.MuiSlider-root:has(input[aria-label="Day"])').getBoundingClientRect();
      return { x: box.x, y: box.y + box.height / 2, width: box.width }; })()`,
  );
  const at = { x: box.x + Math.random() * box.width, y: box.y, button: 'left', clickCount: 1 };
  const began = Date.now();
  await browser.send('Input.dispatchMouseEvent', { type: 'mousePressed', ...at });
  await browser.send('Input.dispatchMouseEvent', { type: 'mouseReleased', ...at });
  await browser.until(IS_THERE, WAIT_MS_MAX);
  return Date.now() - began;
}

async function goLive(browser) {
  const key = { key: 'l', code: 'KeyL', text: 'l' };
  await browser.send('Input.dispatchKeyEvent', { type: 'keyDown', ...key });
  await browser.send('Input.dispatchKeyEvent', { type: 'keyUp', ...key });
  await browser.until("window.__coronaz.mode === 'live'", WAIT_MS_MAX);
}

/** What a line fitted to the values rises in an hour. */
function slopeAnHour(samples, name) {
  const late = samples.filter(({ minute }) => minute >= Math.min(WARM_MINUTES, minutes / 2));
  const mean = (of) => late.reduce((sum, one) => sum + of(one), 0) / late.length;
  const [x, y] = [mean((one) => one.minute), mean((one) => one[name])];
  const rise = late.reduce((sum, one) => sum + (one.minute - x) * (one[name] - y), 0);
  const width = late.reduce((sum, one) => sum + (one.minute - x) ** 2, 0);
  return (60 * rise) / width;
}

const COLUMNS = ['heapMb', 'buffersMb', 'nodes', 'listeners', 'rendererMb', 'privateMb', 'serveMb'];
const line = (name, values) =>
  [name.padEnd(10), ...values.map((value) => value.toFixed(1).padStart(11))].join('');

const folder = await mkdtemp(join(tmpdir(), 'coronaz-memory-'));
const data = join(folder, 'data');
const store = `sqlite:${join(data, 'store.db')}`;
const started = [];
let browser;
try {
  const port = await freePort();
  const radio = `127.255.255.255:${20_000 + (port % 20_000)}`;
  const up = ['up', '--no-menu', '--nodes', '2', '--infected', '0', '--data-dir', data];
  started.push(
    (await start([...up, '--listen', `127.0.0.1:${port}`, '--radio', radio], /CoronaZ is at/)).child,
  );
  const fleet = ['--scenario', 'town', '--people', `${people}`, '--infected', `${people / 1000}`];
  await run(program, [
    ...['runs', 'start', '--kind', 'fleet', ...fleet, '--density', '0.02'],
    ...['--data-dir', data, '--store', store],
  ]);
  const serve = await start(
    ['serve', '--store', store, '--listen', '127.0.0.1:0', '--web-dir', resolve(flags.dist)],
    /listening on (http:\S+)/,
  );
  started.push(serve.child);
  const url = serve.match[1];
  await pause(RUN_SETTLES_MS);
  const listed = await (await fetch(`${url}/api/v1/runs`)).json();
  const crowd = (listed.runs ?? listed.items ?? listed).find(({ nodes }) => nodes >= people);
  browser = await openBare(`${url}/?run=${crowd.id}`, { width: 1370, height: 970 });
  await browser.until('window.__coronaz?.frame?.count > 0', WAIT_MS_MAX);
  await browser.send('HeapProfiler.enable');
  console.log(
    `${new Date().toISOString()} ${people} people, ${minutes} minutes, ${seeks} seeks, page of ${flags.dist}`,
  );
  console.log(['minute'.padEnd(10), ...COLUMNS.map((name) => name.padStart(11))].join(''));
  const samples = [];
  const seekMs = [];
  const began = Date.now();
  for (let minute = 0; minute <= minutes; minute += 1) {
    samples.push({ minute, ...(await sample(browser, serve.child.pid)) });
    console.log(
      line(
        String(minute),
        COLUMNS.map((name) => samples.at(-1)[name]),
      ),
    );
    if (flags.out) await writeFile(resolve(flags.out), memoryPicture(samples));
    if (minute === minutes) break;
    const due = Math.round((seeks * (minute + 1)) / minutes);
    while (seekMs.length < due) seekMs.push(await seekAnywhere(browser));
    await goLive(browser);
    await pause(began + (minute + 1) * MINUTE_MS - Date.now());
  }
  const all = (of) => COLUMNS.map(of);
  console.log(
    line(
      'first',
      all((name) => samples[0][name]),
    ),
  );
  console.log(
    line(
      'last',
      all((name) => samples.at(-1)[name]),
    ),
  );
  console.log(
    line(
      'an hour',
      all((name) => slopeAnHour(samples, name)),
    ),
  );
  const sorted = seekMs.toSorted((a, b) => a - b);
  console.log(
    `${seekMs.length} seeks: median ${sorted[sorted.length >> 1]} ms, largest ${sorted.at(-1)} ms; ` +
      `${await browser.evaluate('window.__coronaz.draws')} draws`,
  );
} finally {
  await browser?.close();
  for (const child of started.toReversed()) await ends(child);
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
