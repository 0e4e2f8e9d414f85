// A small stand-in for the devices, ingest and store: people walk, meet and infect each other by the
// paper's rules, and every moment is remembered.
import { createHash } from 'node:crypto';

const SAFE = 0;
const INFECTED = 1;
const DEAD = 2;
const ABSENT = 3;
const IMMUNE_BIT = 4;
const DIED_INFECTED_BIT = 8;

/** A repeatable source of numbers in [0, 1). */
export function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A name in the form of a version 1 UUID, the same for the same words. */
export function uuid(...words) {
  const h = createHash('sha256').update(words.join('/')).digest('hex');
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-1${h.slice(13, 16)}-a${h.slice(17, 20)}-${h.slice(20, 32)}`;
}

export const PARAMETERS = {
  field_width: 100,
  field_height: 100,
  scale_factor: 5,
  zombie_lifetime: 120,
  infection_radius: 2,
  infection_cooldown: 15,
};

export class World {
  constructor({
    id,
    name,
    seed = 1,
    people = 60,
    infected = 3,
    startedMs,
    parameters = {},
    arriving = true,
  }) {
    this.id = id;
    this.name = name;
    this.seed = seed;
    this.startedMs = startedMs;
    this.parameters = { ...PARAMETERS, ...parameters };
    this.random = random(seed);
    this.arriving = arriving;
    this.want = people;
    this.people = [];
    this.moments = [];
    this.contacts = [];
    this.infections = [];
    this.timeMs = startedMs;
    for (let i = 0; i < people; i += 1) this.spawn(i < infected);
    this.remember();
  }

  spawn(infected) {
    const {
      field_width: w,
      field_height: h,
      zombie_lifetime: life,
      infection_cooldown: ill,
    } = this.parameters;
    const at = () => [Math.round(this.random() * w), Math.round(this.random() * h)];
    const [x, y] = at();
    const slot = this.people.length;
    const id = uuid(this.id, slot);
    this.people.push({
      slot,
      id,
      x,
      y,
      goal: at(),
      ill: infected ? ill : 0,
      immune: 0,
      alive: true,
      left: Math.round(life * (0.4 + 0.6 * this.random())),
      firstMs: this.timeMs,
      lastMs: this.timeMs,
    });
    if (infected) this.infections.push({ time_ms: this.timeMs, infectee: id, x, y });
  }

  /** One second. */
  step() {
    this.timeMs += 1000;
    const { infection_cooldown: cooldown } = this.parameters;
    for (const p of this.people) {
      if (!p.alive) continue;
      p.lastMs = this.timeMs;
      if (p.ill > 0) {
        p.ill -= 1;
        if (p.ill === 0) p.immune = cooldown;
      } else {
        this.walk(p);
        if (p.immune > 0) p.immune -= 1;
      }
      p.left -= 1;
      if (p.left <= 0) p.alive = false;
    }
    this.meet();
    const alive = this.people.filter((p) => p.alive).length;
    if (this.arriving && alive < this.want) this.spawn(this.random() < 0.12);
    this.remember();
  }

  walk(p) {
    const dx = p.goal[0] - p.x;
    const dy = p.goal[1] - p.y;
    if (dx === 0 && dy === 0) {
      const { field_width: w, field_height: h } = this.parameters;
      p.goal = [Math.round(this.random() * w), Math.round(this.random() * h)];
    } else if (Math.abs(dx) > Math.abs(dy)) p.x += Math.sign(dx);
    else p.y += Math.sign(dy);
  }

  meet() {
    const alive = this.people.filter((p) => p.alive);
    const radius = this.parameters.infection_radius;
    for (const a of alive) {
      for (const b of alive) {
        const distance = Math.hypot(a.x - b.x, a.y - b.y);
        if (a === b || distance > radius) continue;
        this.contacts.push({ who: a.id, with: b.id, time_ms: this.timeMs, distance });
        if (b.ill > 0 && b.ill < this.parameters.infection_cooldown && a.ill === 0 && a.immune === 0) {
          a.ill = this.parameters.infection_cooldown;
          this.infections.push({ time_ms: this.timeMs, infectee: a.id, infector: b.id, x: a.x, y: a.y });
        }
      }
    }
  }

  remember() {
    const { field_width: w, field_height: h } = this.parameters;
    const xy = new Uint16Array(2 * this.people.length);
    const states = new Uint8Array(this.people.length);
    this.people.forEach((p, i) => {
      xy[2 * i] = Math.round((p.x * 65535) / w);
      xy[2 * i + 1] = Math.round((p.y * 65535) / h);
      const drawn = p.alive ? (p.ill > 0 ? INFECTED : SAFE) : DEAD;
      states[i] =
        drawn | (p.alive && p.immune > 0 ? IMMUNE_BIT : 0) | (!p.alive && p.ill > 0 ? DIED_INFECTED_BIT : 0);
    });
    this.moments.push({
      timeMs: this.timeMs,
      xy,
      states,
      figures: figures(states),
      contacts: this.contacts.length,
      infections: this.infections.length,
    });
  }

  get latest() {
    return this.moments.length - 1;
  }

  picture(moment) {
    const m = this.moments[moment];
    return m && { ...m, moment, latest: this.latest, epoch: 1 };
  }

  get run() {
    return {
      id: this.id,
      name: this.name,
      kind: 'nodes',
      seed: this.seed,
      started_ms: this.startedMs,
      last_ms: this.timeMs,
      moments: this.moments.length,
      first_moment: 0,
      nodes: this.people.length,
      contacts: this.contacts.length,
      infections: this.infections.length,
      parameters: this.parameters,
    };
  }
}

/** Reckoning a million places takes longer than drawing them: large crowds repeat after so many moments. */
const PHASES = 8;
const CACHED_FROM = 50_000;

/** Any number of people whose places are reckoned from the moment: nothing is remembered, all can be seen. */
export class Crowd {
  constructor({ id, name, people, startedMs, moments = 600, parameters = {}, forkedFrom }) {
    Object.assign(this, {
      id,
      name,
      startedMs,
      latest: moments - 1,
      contacts: [],
      infections: [],
      timeMs: startedMs,
      first: forkedFrom?.tick ?? 0,
      forkedFrom,
    });
    this.parameters = {
      ...PARAMETERS,
      ...parameters,
      ...{ field_width: 5000, field_height: 4000, scale_factor: 1 },
    };
    this.pictures = new Map();
    const next = random(7);
    this.home = Float32Array.from({ length: 2 * people }, next);
    this.phase = Uint8Array.from({ length: people }, () => Math.floor(next() * 200));
    this.people = { length: people };
    // Before anybody watches, so that a frame takes no longer than sending it.
    if (people >= CACHED_FROM) for (let i = 0; i < PHASES; i += 1) this.picture(i);
  }

  step() {
    this.latest += 1;
  }

  picture(moment) {
    if (moment < this.first || moment > this.latest) return undefined;
    const ready = this.pictures.get(moment % PHASES);
    if (ready) return { ...ready, ...this.columns(moment), latest: this.latest };
    const n = this.phase.length;
    const xy = new Uint16Array(2 * n);
    const states = new Uint8Array(n);
    for (let i = 0; i < n; i += 1) {
      const turn = moment * 0.05 + this.phase[i];
      const hx = this.home[2 * i] ** 1.4;
      xy[2 * i] = Math.min(65535, Math.max(0, (hx + Math.cos(turn) * 0.01) * 65535));
      xy[2 * i + 1] = Math.min(65535, Math.max(0, (this.home[2 * i + 1] + Math.sin(turn) * 0.01) * 65535));
      const age = (moment + this.phase[i]) % 200;
      const wave = Math.abs(hx * 200 - ((moment * 0.5) % 220)) < 12;
      states[i] =
        this.phase[i] === 7
          ? DEAD | DIED_INFECTED_BIT
          : wave && age < 90
            ? INFECTED
            : age > 170
              ? IMMUNE_BIT
              : SAFE;
    }
    const repeats = this.phase.length >= CACHED_FROM;
    const picture = {
      xy,
      states,
      figures: figures(states),
      epoch: 1,
      ...(repeats && { phase: moment % PHASES }),
    };
    if (repeats) this.pictures.set(moment % PHASES, picture);
    return { ...picture, ...this.columns(moment), latest: this.latest };
  }

  columns(moment) {
    return {
      moment,
      timeMs: this.startedMs + moment * 1000,
      contacts: moment * 900,
      infections: moment * 40,
    };
  }

  get run() {
    return {
      ...{ id: this.id, name: this.name, kind: 'fleet', seed: 7, started_ms: this.startedMs },
      ...{ last_ms: this.startedMs + this.latest * 1000, moments: this.latest + 1, nodes: this.phase.length },
      ...{ contacts: this.latest * 900, infections: this.latest * 40, first_moment: this.first },
      ...(this.forkedFrom && { forked_from: this.forkedFrom }),
      parameters: this.parameters,
    };
  }
}

export function figures(states) {
  const f = { total: 0, zombies: 0, deaths: 0, dead_zombies: 0, immune: 0 };
  for (const s of states) {
    if ((s & 3) === ABSENT) continue;
    f.total += 1;
    if ((s & 3) === INFECTED) f.zombies += 1;
    if ((s & 3) === DEAD) f.deaths += 1;
    if (s & DIED_INFECTED_BIT) f.dead_zombies += 1;
    if (s & IMMUNE_BIT) f.immune += 1;
  }
  return f;
}
