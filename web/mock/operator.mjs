// The operator's part of the server over the mock worlds: signing in, runs, and the laboratory.
import { randomUUID } from 'node:crypto';
import { makeLaboratory } from './laboratory.mjs';
import { complaints, SCENARIOS } from './scenarios.mjs';
import { Crowd, uuid, World } from './world.mjs';

export const TOKEN = 'the-token-of-the-mock-operator';
const TITLES = { 401: 'Unauthorized', 404: 'Not Found', 409: 'Conflict', 422: 'Unprocessable Content' };
const problem = (status, detail, errors) => ({
  status,
  body: {
    type: 'about:blank',
    title: TITLES[status],
    status,
    ...(detail && { detail }),
    ...(errors && { errors }),
  },
});

export function makeOperator({ worlds, seed, told }) {
  const laboratory = makeLaboratory({ worlds, seed });
  const sessions = new Set();
  const sessionOf = (request) => /coronaz=([0-9a-f-]{36})/.exec(request.headers.cookie ?? '')?.[1];
  const isOperator = (request) => sessions.has(sessionOf(request));

  function login(form) {
    if (new URLSearchParams(form).get('token') !== TOKEN) return problem(401, 'this is not the token');
    const session = randomUUID();
    sessions.add(session);
    const cookie = `coronaz=${session}; Path=/; HttpOnly; SameSite=Strict`;
    return { status: 303, headers: { location: '/', 'set-cookie': cookie } };
  }

  function start(body) {
    const errors = complaints(body);
    if (errors.length > 0) return problem(422, 'the run cannot be started so', errors);
    const { kind, name = body.scenario ?? 'run', people, infected, parameters, forkedFrom } = body;
    const id = uuid('started', worlds.length, Date.now());
    const own = SCENARIOS.scenarios.find((one) => one.name === body.scenario)?.parameters;
    const all = { ...own, ...parameters };
    const world =
      kind === 'fleet'
        ? new Crowd({
            ...{ id, name, people, parameters: all, forkedFrom },
            // Both have the tick at which they part.
            startedMs: Date.now() - (forkedFrom?.tick ?? 0) * 1000,
            moments: (forkedFrom?.tick ?? 1) + 1,
          })
        : new World({
            id,
            name,
            seed: body.seed ?? 5,
            people,
            infected,
            startedMs: Date.now(),
            parameters: all,
          });
    world.alive = true;
    setTimeout(() => {
      worlds.unshift(world);
      told();
    }, 700).unref();
    return { status: 201, body: { run: id } };
  }

  function onRun(method, id, act, body) {
    const world = worlds.find((one) => one.id === id);
    if (!world) return problem(404);
    if (method === 'POST' && act === 'stop') {
      world.alive = false;
      return { status: 204 };
    }
    if (method === 'POST' && act === 'fork') {
      if (!(world instanceof Crowd) || world.forkedFrom)
        return problem(409, 'only a fleet can be forked, and once');
      if (body.tick > world.latest)
        return problem(422, undefined, [{ field: 'tick', detail: `tick must be from 0 to ${world.latest}` }]);
      const name = body.name ?? `${world.name}, forked`;
      return start({
        kind: 'fleet',
        name,
        people: world.people.length,
        infected: 1,
        parameters: body.parameters,
        forkedFrom: { run: id, tick: body.tick },
      });
    }
    if (method === 'DELETE' && act === undefined) {
      if (world.alive) return problem(409, 'the run goes on; stop it first');
      worlds.splice(worlds.indexOf(world), 1);
      told();
      return { status: 204 };
    }
    return undefined;
  }

  /** @returns an answer, or undefined when this is not the operator's */
  function answer(request, path, body) {
    const { method } = request;
    if (path === '/login' && method === 'POST') return login(body);
    if (path === '/api/v1/session') {
      if (method === 'DELETE') sessions.delete(sessionOf(request));
      const operator = isOperator(request);
      return method === 'DELETE'
        ? { status: 204 }
        : { status: 200, body: { operator, can_sign_in: true, laboratory: true } };
    }
    const ours = path.startsWith('/api/v1/laboratory') || path === '/api/v1/scenarios' || method !== 'GET';
    if (!ours) return undefined;
    if (!isOperator(request)) return problem(401, 'sign in first');
    const read = body === '' || body === undefined ? {} : JSON.parse(body);
    if (path === '/api/v1/scenarios') return { status: 200, body: SCENARIOS };
    if (path === '/api/v1/runs' && method === 'POST') return start(read);
    const [runs, id, act] = path.split('/').slice(3);
    if (runs === 'runs') return onRun(method, id, act, read);
    const found = laboratory.answer(method, path, read);
    return found?.detail ? problem(found.status, found.detail) : found;
  }

  return { answer, expire: () => sessions.clear(), close: () => laboratory.close() };
}
