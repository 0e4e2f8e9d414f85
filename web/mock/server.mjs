// The mock server: REST, WebSocket and the built page, with the headers the real server sends.
// Extra, for tests only: POST /mock/failure?on=1|0 breaks and mends everything behind the page,
// POST /mock/run begins a new run, POST /mock/stranger an absurd one, POST /mock/step makes a moment, POST /mock/expire ends the operator's session.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { liveSockets } from './live.mjs';
import { makeOperator } from './operator.mjs';
import { answer } from './rest.mjs';
import { Crowd, uuid, World } from './world.mjs';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

export async function startMock({
  port = 0,
  people = 60,
  history = 90,
  crowd = 0,
  stepMs = 1000,
  seed = 1,
} = {}) {
  const worlds = beginnings({ people, history, crowd, seed });
  let failing = false;
  const sockets = liveSockets((url) =>
    failing ? undefined : worlds.find((w) => url === `/api/v1/runs/${w.id}/live`),
  );
  const step = () => {
    for (const world of worlds) if (world.alive) world.step();
    if (!failing) sockets.pushAll();
  };
  const told = () => {
    if (!failing) sockets.tellAll({ type: 'runs-changed' });
  };
  const operator = makeOperator({ worlds, seed, told });
  const control = {
    expire: () => operator.expire(),
    failure(on) {
      failing = on;
      if (on) sockets.cutAll();
    },
    run() {
      if (worlds[0]) worlds[0].alive = false;
      worlds.unshift(town({ people, seed: seed + worlds.length, startedMs: Date.now() }));
      told();
    },
    /** A run that somebody announced with a blank name and a time that no Date can hold. */
    stranger() {
      const [name, startedMs] = [' ', Math.floor(Number.MAX_SAFE_INTEGER)];
      worlds.unshift(
        new World({ id: uuid('stranger', worlds.length), name, people: 3, startedMs, arriving: false }),
      );
      told();
    },
    step,
  };

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://mock');
    const send = (status, type, body, headers = {}) => {
      response.writeHead(status, { 'content-type': type, ...headers });
      response.end(body);
    };
    if (url.pathname.startsWith('/mock/')) {
      const act = url.pathname.slice(6);
      control[act]?.(url.searchParams.get('on') === '1');
      return send(control[act] ? 204 : 404, 'text/plain', '');
    }
    if (url.pathname.startsWith('/api/') || url.pathname === '/login') {
      const sent = await textOf(request);
      const { status, body, type, headers } = failing
        ? { status: 503, body: { type: 'about:blank', title: 'temporarily unavailable', status: 503 } }
        : (operator.answer(request, url.pathname, sent) ?? answer(worlds, url.pathname, url.searchParams));
      const usual = status < 300 ? 'application/json' : 'application/problem+json';
      return send(status, type ?? usual, typeof body === 'object' ? JSON.stringify(body) : body, headers);
    }
    return page(url.pathname, send);
  });
  server.on('upgrade', sockets.upgrade);
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  const timer = stepMs > 0 ? setInterval(step, stepMs) : undefined;
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    worlds,
    ...control,
    async close() {
      clearInterval(timer);
      operator.close();
      sockets.cutAll();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function textOf(request) {
  let text = '';
  for await (const piece of request) text += piece;
  return text;
}

function beginnings({ people, history, crowd, seed }) {
  const now = Date.now();
  const current = town({ people, seed, startedMs: now - history * 1000 });
  for (let i = 0; i < history; i += 1) current.step();
  const earlier = new World({
    ...{ id: uuid('paper', seed), name: 'paper', seed, people: 20, infected: 2, startedMs: now - 86_400_000 },
    arriving: false,
  });
  for (let i = 0; i < 130; i += 1) earlier.step();
  const worlds = [current, earlier];
  if (crowd > 0)
    worlds.push(
      new Crowd({ id: uuid('crowd', crowd), name: 'crowd', people: crowd, startedMs: now - 600_000 }),
    );
  if (crowd > 0) worlds[2].alive = true;
  return worlds;
}

const town = ({ people, seed, startedMs }) => {
  const world = new World({
    id: uuid('town', seed),
    name: 'town',
    seed,
    people,
    infected: 4,
    startedMs,
    parameters: { infection_radius: 5, infection_cooldown: 20 },
  });
  world.alive = true;
  return world;
};

async function page(path, send) {
  const file = normalize(path === '/' || extname(path) === '' ? '/index.html' : path);
  const body = await readFile(join(DIST, file)).catch(() => undefined);
  if (body === undefined) return send(404, 'text/plain', 'not found');
  const type = TYPES[extname(file)] ?? 'application/octet-stream';
  if (!file.endsWith('index.html')) return send(200, type, body);
  const nonce = randomBytes(16).toString('base64');
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return send(200, type, body.toString().replaceAll('__CSP_NONCE__', nonce), {
    'content-security-policy': policy,
  });
}
