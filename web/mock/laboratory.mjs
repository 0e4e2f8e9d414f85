// A stand-in for the laboratory behind the server: parts that can be killed, and a lag that grows and drains.

const COMES_BACK_MS = 2500;
/** A minute of chaos takes so long here. */
const CHAOS_MINUTE_MS = 4000;
const AUDIT_MS = 1200;
const CLEAN = {
  ...{ lost: 0, doubled: 0, wrong: 0, unknown: 0, waiting: 0, late: 0 },
  ...{ unchecked: [], examples: [], ok: true },
};

export function makeLaboratory({ worlds, seed }) {
  const born = Date.now() - 600_000;
  const part = (name, kind, pid, more) => ({
    ...{ name, kind, state: 'running', pid, restarts: 0, since_ms: born },
    ...{ memory_bytes: 24_000_000, cpu_seconds: 31 },
    ...more,
  });
  const parts = [
    part('devices-1', 'devices', 4711, { run: worlds[0].id, memory_bytes: 38_400_000, cpu_seconds: 74 }),
    part('broker', 'broker', 4712),
    part('ingest', 'ingest', 4713, {
      memory_bytes: 19_200_000,
      says: 'the broker did not answer for 2.1 s',
      says_at_ms: born + 180_000,
    }),
    { name: 'store', kind: 'store', state: 'elsewhere', restarts: 0, pid: undefined },
    part('serve', 'serve', 4714, { memory_bytes: 41_700_000 }),
  ];
  const state = {
    lag: 0,
    newestMs: Date.now(),
    rate: 0,
    chaos: { state: 'none', faults: [] },
    audit: { state: 'none' },
  };
  const find = (name) => parts.find((one) => one.name === name);
  const isUp = (name) => find(name).state === 'running';

  function down(name, ms = COMES_BACK_MS) {
    Object.assign(find(name), { state: 'waiting', pid: undefined, since_ms: Date.now() });
    setTimeout(() => up(name), ms).unref();
  }
  function up(name) {
    const one = find(name);
    if (one.state !== 'waiting') return;
    Object.assign(one, {
      state: 'running',
      pid: 5000 + one.restarts,
      since_ms: Date.now(),
      restarts: one.restarts + 1,
    });
  }
  const acts = {
    kill: (one) => down(one.name),
    restart: (one) => down(one.name, 600),
    pause: (one) => Object.assign(one, { state: 'paused', since_ms: Date.now() }),
    resume: (one) => Object.assign(one, { state: 'running', since_ms: Date.now() }),
  };
  const possible = ({ name, state: now }) => {
    if (now === 'elsewhere' || now === 'waiting') return [];
    if (now === 'paused') return ['kill', 'resume', 'restart'];
    return name === 'serve' ? ['kill', 'restart'] : ['kill', 'pause', 'restart'];
  };

  /** One second of records. */
  const step = () => {
    const made = isUp('devices-1') && isUp('broker') ? (worlds[0]?.people.length ?? 0) : 0;
    state.lag += made;
    state.rate = isUp('ingest') && isUp('broker') ? Math.min(state.lag, 600) : 0;
    state.lag -= state.rate;
    if (state.rate > 0) state.newestMs = Date.now() - 250;
    state.made = made;
  };
  const timer = setInterval(step, 1000).unref();
  step();

  const info = () => ({
    now_ms: Date.now(),
    parts: parts.map((one) => ({ ...one, actions: possible(one) })),
    flows: [
      { from: 'devices', to: 'broker', records_per_s: state.made, bytes_per_s: state.made * 310 },
      { from: 'broker', to: 'ingest', records_per_s: state.rate, lag_records: state.lag },
      {
        from: 'ingest',
        to: 'store',
        records_per_s: state.rate,
        bytes_per_s: state.rate * 420,
        newest_record_ms: state.newestMs,
      },
      { from: 'store', to: 'serve' },
    ],
    runs: worlds
      .filter((world) => world.alive !== undefined)
      .map((world) => ({
        ...{ run: world.id, name: world.name, kind: world.run.kind, people: world.people.length },
        ...{ infected: 4, seed, state: world.alive ? 'running' : 'ended' },
        ...{ parts: ['devices-1'], started_ms: world.startedMs },
      })),
  });

  function chaos(minutes, of = Math.floor(Math.random() * 1e6)) {
    const began = Date.now();
    const length = minutes * CHAOS_MINUTE_MS;
    const names = ['ingest', 'broker', 'serve'];
    state.chaos = { state: 'running', seed: of, started_ms: began, faults: [] };
    const fault = (index) => {
      if (state.chaos.state !== 'running') return;
      if (Date.now() - began >= length) return end('done');
      const name = names[(of + index) % names.length];
      const entry = { at_ms: Date.now() - began, kind: index % 3 === 2 ? 'hold up' : 'kill', part: name };
      state.chaos.faults.push(entry);
      down(name, 500);
      setTimeout(() => {
        entry.until_ms = Date.now() - began;
      }, 500).unref();
      setTimeout(fault, 900, index + 1).unref();
    };
    const end = (how) => {
      const count = worlds[0].contacts.length;
      Object.assign(state.chaos, { state: how, elapsed_ms: Date.now() - began });
      state.chaos.verdict = { recorded: count, stored: count, ...CLEAN };
    };
    state.chaos.end = () => end('stopped');
    setTimeout(fault, 400, 0).unref();
  }

  /** @returns {{status:number, body?:object}|undefined} */
  function answer(method, path, body) {
    const [, what, name, act] = path.split('/').slice(3);
    if (what === undefined) return { status: 200, body: info() };
    if (what === 'parts' && method === 'POST') {
      const one = find(name);
      if (!one) return { status: 404 };
      if (!possible(one).includes(act)) return { status: 409, detail: `${name} cannot ${act} now` };
      acts[act](one);
      return { status: 204 };
    }
    if (what === 'people' && method === 'POST') {
      const world = worlds.find((one) => one.id === body.run);
      if (!world?.spawn) return { status: 409, detail: 'this is no run of devices' };
      for (let i = 0; i < body.count; i += 1) world.spawn(i < body.infected);
      world.want += body.count;
      return { status: 204 };
    }
    if (what === 'audit') return audit(method, body);
    if (what === 'chaos') {
      if (method === 'POST') chaos(body.minutes, body.seed);
      if (method === 'DELETE') state.chaos.end?.();
      if (method !== 'GET') return { status: method === 'POST' ? 202 : 204 };
      const { end: _, ...shown } = state.chaos;
      const elapsed = shown.elapsed_ms ?? Date.now() - shown.started_ms;
      return { status: 200, body: shown.state === 'none' ? shown : { ...shown, elapsed_ms: elapsed } };
    }
    return undefined;
  }

  function audit(method, body) {
    if (method === 'GET') return { status: 200, body: state.audit };
    const world = worlds.find((one) => one.id === body.run);
    if (!world) return { status: 404 };
    const count = world.contacts.length;
    state.audit = { state: 'running', run: body.run, started_ms: Date.now() };
    setTimeout(() => {
      const verdict = { recorded: count, stored: count, ...CLEAN };
      state.audit = { ...state.audit, state: 'done', ended_ms: Date.now(), verdict };
    }, AUDIT_MS).unref();
    return { status: 202 };
  }

  return { answer, close: () => clearInterval(timer) };
}
