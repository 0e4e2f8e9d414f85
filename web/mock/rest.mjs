// The read part of the server's REST interface over the mock worlds.

const problem = (status, title) => ({ status, body: { type: 'about:blank', title, status } });
const ok = (body) => ({ status: 200, body });
const missing = problem(404, 'Not Found');

/** @returns {{status:number, body:object}} */
export function answer(worlds, path, query) {
  const parts = path.split('/').slice(3);
  if (parts.length === 1)
    return ok({
      runs: worlds.map((w) => w.run),
      default_run: (worlds.find((w) => w.alive) ?? worlds[0])?.id,
    });
  const world = worlds.find((w) => w.id === parts[1]);
  if (!world) return missing;
  const number = (name, otherwise) => (query.has(name) ? Number(query.get(name)) : otherwise);
  switch (parts[2]) {
    case undefined:
      return ok(world.run);
    case 'state':
      return state(world, number('moment', world.latest));
    case 'statistics':
      return ok(
        statistics(
          world,
          number('from', world.first ?? 0),
          number('to', world.latest),
          number('points', 500),
        ),
      );
    case 'nodes':
      return nodes(world, parts, number, query);
    case 'infections':
      return ok({ infections: infections(world, query).slice(0, number('limit', 1000)) });
    case 'export':
      return csv(world, parts[3]);
    default:
      return missing;
  }
}

function infections(world, query) {
  const by = query.get('infector');
  return by === null ? world.infections : world.infections.filter(({ infector }) => infector === by);
}

function csv(world, file) {
  const rows = { infections: world.infections, contacts: world.contacts }[file.replace('.csv', '')] ?? [];
  const heads = Object.keys(rows[0] ?? { time_ms: 0 });
  const lines = rows.map((row) => heads.map((head) => row[head] ?? '').join());
  return { status: 200, type: 'text/csv', body: [heads.join(), ...lines, ''].join('\n') };
}

function state(world, moment) {
  const m = world.picture(moment);
  if (!m) return missing;
  const { field_width: w, field_height: h } = world.parameters;
  const list = Array.from(m.states, (s, slot) => ({
    slot,
    id: nameOf(world, slot),
    x: (m.xy[2 * slot] * w) / 65535,
    y: (m.xy[2 * slot + 1] * h) / 65535,
    infected: (s & 3) === 1 || (s & 8) > 0,
    immune: (s & 4) > 0,
    alive: (s & 3) !== 2,
  }));
  return ok({ moment, time_ms: m.timeMs, figures: m.figures, nodes: list });
}

function statistics(world, from, to, points) {
  const columns = {
    moment: [],
    time_ms: [],
    total: [],
    zombies: [],
    deaths: [],
    dead_zombies: [],
    immune: [],
  };
  Object.assign(columns, { contacts: [], infections: [] });
  const last = Math.min(to, world.latest);
  const n = Math.min(points, last - from + 1);
  for (let i = 0; i < n; i += 1) {
    const k = n === 1 ? last : Math.round(from + ((last - from) * i) / (n - 1));
    const m = world.moments?.[k] ?? approximate(world, k);
    const row = {
      moment: k,
      time_ms: m.timeMs,
      ...m.figures,
      contacts: m.contacts,
      infections: m.infections,
    };
    for (const name of Object.keys(columns)) columns[name].push(row[name]);
  }
  return columns;
}

/** The crowd's figures need a whole picture each; curves of it are drawn from a formula. */
function approximate(world, k) {
  const n = world.people.length;
  const zombies = Math.round(n * 0.06 * (1 + Math.sin(k / 40)));
  return {
    ...world.columns(k),
    figures: {
      total: n,
      zombies,
      deaths: Math.round(n / 200),
      dead_zombies: Math.round(n / 200),
      immune: Math.round(n * 0.12),
    },
  };
}

const nameOf = (world, slot) =>
  world.people[slot]?.id ?? `00000000-0000-1000-a000-${slot.toString(16).padStart(12, '0')}`;

function nodes(world, parts, number, query) {
  const id = parts[3];
  if (id === undefined) {
    const first = number('after_slot', -1) + 1;
    const last = Math.min(world.people.length, first + number('limit', 1000));
    const list = [];
    for (let slot = first; slot < last; slot += 1) list.push({ slot, id: nameOf(world, slot) });
    return ok({ nodes: list });
  }
  const person = world.moments ? world.people.find((p) => p.id === id) : inCrowd(world, id);
  if (!person) return missing;
  const contacts = world.contacts.filter((c) => c.who === id);
  const from = number('from_ms', 0);
  const to = number('to_ms', Number.MAX_SAFE_INTEGER);
  const limit = number('limit', 100);
  if (parts[4] === 'contacts') {
    const found = contacts.filter((c) => c.time_ms >= from && c.time_ms <= to);
    if (query.get('order') === 'newest') found.reverse();
    return ok({ contacts: found.slice(0, limit).map(({ who: _, ...rest }) => rest) });
  }
  if (parts[4] === 'encounters')
    return ok({ encounters: encounters(contacts, query.get('order')).slice(0, limit) });
  const { slot, x, y, alive, firstMs, lastMs, ill, immune } = person;
  const infections = world.infections
    .filter((i) => i.infectee === id)
    .map(({ infectee: _, ...rest }) => rest);
  return ok({
    ...{ slot, id, x, y, infected: ill > 0, immune: immune > 0, alive },
    ...{ reported: true, first_ms: firstMs, last_ms: lastMs, infections, contacts_count: contacts.length },
  });
}

function inCrowd(world, id) {
  const slot = Number.parseInt(id.slice(-12), 16);
  if (!(slot < world.people.length)) return undefined;
  return {
    slot,
    x: 0,
    y: 0,
    alive: true,
    firstMs: world.startedMs,
    lastMs: world.startedMs,
    ill: 0,
    immune: 0,
  };
}

/** Contacts of the same two people with less than 3 s between them are one encounter. */
function encounters(contacts, order) {
  const open = new Map();
  const all = [];
  for (const c of contacts) {
    const e = open.get(c.with);
    if (e && c.time_ms - e.to_ms <= 3000) {
      e.to_ms = c.time_ms;
      e.contacts += 1;
      e.nearest = Math.min(e.nearest, c.distance);
    } else {
      const fresh = {
        with: c.with,
        from_ms: c.time_ms,
        to_ms: c.time_ms,
        nearest: c.distance,
        contacts: 1,
        open: false,
      };
      open.set(c.with, fresh);
      all.push(fresh);
    }
  }
  return order === 'newest' ? all.reverse() : all;
}
