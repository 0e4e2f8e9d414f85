import { createStore, type StoreApi } from 'zustand/vanilla';
import { isTime } from './clock';
import type { Figures, Frame } from './frame';
import { glideMs, type Mode, PLAY_STEP_MS } from './glide';
import { Picture } from './picture';
import { type Columns, Series } from './series';
import { LiveSocket } from './socket';

/** React hears of frames at most this often; the map hears of each. */
const PUBLISH_MS = 100;
/** Live, where nobody waits for an answer, figures that change more often could not be read. */
const PUBLISH_LIVE_MS = 250;
/** Live, figures follow the moment after two or three pictures, so that no picture has to wait for both. */
const FIGURES_AFTER_MS = 40;
/** How often the run's length is asked for, which also tells whether the server is well. */
const POLL_MS = 2000;
/** Contacts and infections are not in frames, so the series is loaded anew this often. */
const SERIES_RELOAD_MS = 10_000;
export const SERIES_POINTS = 1500;
/** A run that has not grown for so long is taken as over. */
const GROWING_MS = 12_000;
export const SPEEDS = [0.25, 0.5, 1, 2, 5, 10, 20, 50] as const;
export const SPEED_MIN = 0.05;
export const SPEED_MAX = 1000;

export interface RunSummary {
  id: string;
  started_ms: number;
  last_ms: number;
  moments: number;
  /** Later than 0 in a fork, whose beginning is another run's. */
  first_moment?: number;
  nodes: number;
}

/** A moment that is further behind than this was not held up on its way: what was taken for the newest time was wrong. */
const HELD_UP_MS = 60_000;

/** The newest time, after a moment said its own. */
function newest(knownMs: number, saidMs: number | undefined): number {
  if (saidMs === undefined || !isTime(saidMs)) return knownMs;
  return knownMs - saidMs > HELD_UP_MS ? saidMs : Math.max(knownMs, saidMs);
}

/** What the session needs from the server besides the live connection. */
export interface Source<R extends RunSummary> {
  run(id: string): Promise<R>;
  statistics(id: string, points: number): Promise<Columns>;
  liveUrl(id: string): string;
}

export interface SessionState<R extends RunSummary = RunSummary> {
  run: R | undefined;
  mode: Mode;
  /** The moment that the visitor asked for; the slider stands here. */
  wanted: number;
  /** The moment on show. */
  moment: number;
  timeMs: number;
  figures: Figures | undefined;
  /** The run's first moment; nothing can be shown of the time before it. */
  first: number;
  /** Slots mean the same people as long as this is the same. */
  epoch: number;
  /** The newest moment, and its time. */
  latest: number;
  latestMs: number;
  speed: number;
  /** Is the run still getting longer? */
  growing: boolean;
  /** Since when (ms, this machine's clock) the server has been out of reach. */
  awaySince: number | undefined;
  /** True once something was drawn. */
  hasPicture: boolean;
}

export interface SessionOptions {
  speed?: number;
  /** Begin paused at this moment rather than live. */
  moment?: number | undefined;
  onRunsChanged?: () => void;
  openSocket?: (url: string) => WebSocket;
}

/** One visitor watching one run: the connection, the picture, the series, and the clock of playing. */
export class Session<R extends RunSummary = RunSummary> {
  readonly picture = new Picture();
  readonly series = new Series();
  readonly store: StoreApi<SessionState<R>>;
  private readonly socket: LiveSocket<R>;
  private socketUp = false;
  private restUp = true;
  private publishTimer: ReturnType<typeof setTimeout> | undefined;
  private publishedAt = Number.NEGATIVE_INFINITY;
  private readonly timers: ReturnType<typeof setInterval>[] = [];
  private playTimer: ReturnType<typeof setInterval> | undefined;
  private playClock = 0;
  private playTimeMs = 0;
  private grewAt = Number.NEGATIVE_INFINITY;
  private frameAt = 0;
  private seriesAt = 0;
  private latest = 0;
  private closed = false;

  constructor(
    readonly runId: string,
    private readonly source: Source<R>,
    options: SessionOptions = {},
  ) {
    this.store = createStore<SessionState<R>>(() => ({
      run: undefined,
      mode: options.moment === undefined ? 'live' : 'paused',
      wanted: options.moment ?? 0,
      moment: options.moment ?? 0,
      timeMs: 0,
      figures: undefined,
      first: 0,
      epoch: 0,
      latest: options.moment ?? 0,
      latestMs: 0,
      speed: options.speed ?? 1,
      growing: false,
      awaySince: undefined,
      hasPicture: false,
    }));
    this.socket = new LiveSocket<R>(
      source.liveUrl(runId),
      {
        up: () => this.connection({ socket: true }),
        down: () => this.connection({ socket: false }),
        hello: (run) => this.learn(run),
        frame: (frame) => this.take(frame),
        missing: (moment) => this.notThere(moment),
        runsChanged: () => options.onRunsChanged?.(),
      },
      options.openSocket,
    );
    if (options.moment !== undefined) this.socket.seek(options.moment);
    void this.poll();
    this.timers.push(setInterval(() => void this.poll(), POLL_MS));
  }

  close(): void {
    this.closed = true;
    this.socket.close();
    clearTimeout(this.publishTimer);
    clearInterval(this.playTimer);
    for (const timer of this.timers) clearInterval(timer);
  }

  goLive(): void {
    this.stopPlaying();
    this.store.setState({ mode: 'live' });
    this.socket.live();
  }

  /** Says what of the field is looked at; undefined: all of it. */
  look(window: object | undefined): void {
    this.socket.look(window);
  }

  /** Stops here; recording goes on behind it. */
  pause(): void {
    const { mode, moment, wanted } = this.store.getState();
    if (mode === 'paused') return;
    this.stopPlaying();
    const at = mode === 'live' ? (this.picture.current?.moment ?? moment) : wanted;
    this.store.setState({ mode: 'paused', wanted: at });
    this.socket.seek(at);
  }

  /** Plays on from here; from the beginning when here is the end of a finished run. */
  play(): void {
    const { mode, wanted, growing, first } = this.store.getState();
    if (mode !== 'paused') return;
    if (wanted >= this.latest && growing) {
      this.goLive();
      return;
    }
    const from = wanted >= this.latest ? first : wanted;
    this.store.setState({ mode: 'playing', wanted: from });
    this.playTimeMs = this.timeAt(from);
    this.playClock = performance.now();
    this.socket.seek(from);
    this.playTimer = setInterval(() => this.playOn(), PLAY_STEP_MS);
  }

  /** Live pauses, playing pauses, paused plays. */
  toggle(): void {
    if (this.store.getState().mode === 'paused') this.play();
    else this.pause();
  }

  /** Goes to a moment and pauses there; the next frame jumps. */
  seek(moment: number): void {
    this.stopPlaying();
    const wanted = Math.min(this.latest, Math.max(this.store.getState().first, Math.round(moment)));
    this.store.setState({ mode: 'paused', wanted });
    this.socket.seek(wanted);
  }

  /** Goes `moments` forward or back. */
  step(moments: number): void {
    this.seek(this.here() + moments);
  }

  /** Goes a time forward or back, by one moment at least. */
  skip(ms: number): void {
    const here = this.here();
    const there = this.series.nearestTo(this.timeAt(here) + ms) ?? here;
    // What was held up on its way has an earlier time than the moment before: a step must not lead the other way.
    this.seek(Math.sign(there - here) === Math.sign(ms) ? there : here + Math.sign(ms));
  }

  setSpeed(speed: number): void {
    if (!Number.isFinite(speed)) return;
    this.store.setState({ speed: Math.min(SPEED_MAX, Math.max(SPEED_MIN, speed)) });
  }

  /** Goes to the moment in force at a time. */
  seekTime(ms: number): void {
    this.seek(this.series.momentAt(ms) ?? this.here());
  }

  /** The next preset up (+1) or down (-1). */
  changeSpeed(direction: 1 | -1): void {
    const { speed } = this.store.getState();
    const next = direction > 0 ? SPEEDS.find((s) => s > speed) : SPEEDS.findLast((s) => s < speed);
    if (next !== undefined) this.setSpeed(next);
  }

  /** The time of a moment as well as it is known. */
  timeAt(moment: number): number {
    const shown = this.picture.current;
    if (shown?.moment === moment) return this.series.timeOf(moment, shown.timeMs);
    const run = this.store.getState().run;
    return this.series.timeAt(moment) ?? run?.started_ms ?? 0;
  }

  private here(): number {
    const { mode, wanted } = this.store.getState();
    return mode === 'live' ? (this.picture.current?.moment ?? this.latest) : wanted;
  }

  private playOn(): void {
    const now = performance.now();
    const { speed, wanted, growing } = this.store.getState();
    this.playTimeMs += (now - this.playClock) * speed;
    this.playClock = now;
    const moment = this.series.momentAt(this.playTimeMs) ?? wanted;
    if (moment >= this.latest && this.playTimeMs >= this.timeAt(this.latest)) {
      if (growing) this.goLive();
      else this.seek(this.latest);
      return;
    }
    // Times between the known rows are reckoned: the first step must not lead back.
    if (moment <= wanted) return;
    this.store.setState({ wanted: moment });
    this.socket.seek(moment);
  }

  /** The moment asked for does not exist: back to the one on show, or to the newest when there is none. */
  private notThere(asked: number): void {
    const { hasPicture, moment, wanted } = this.store.getState();
    // Something else was asked for since.
    if (asked !== wanted) return;
    if (hasPicture) this.store.setState({ wanted: moment });
    else this.goLive();
  }

  private stopPlaying(): void {
    clearInterval(this.playTimer);
    this.playTimer = undefined;
  }

  private take(frame: Frame): void {
    if (this.closed) return;
    const now = performance.now();
    const last = this.picture.current;
    const { mode, speed } = this.store.getState();
    const sinceLast = now - this.frameAt;
    this.frameAt = now;
    // The frame of a pause repeats what is on show: the glide under way goes on.
    const whole = last?.slots === undefined && frame.slots === undefined;
    const repeats =
      whole && last?.moment === frame.moment && last.epoch === frame.epoch && last.count === frame.count;
    if (!repeats) this.picture.show(frame, glideMs(mode, speed, last, frame, sinceLast));
    this.grow(Math.max(frame.latest, frame.moment), frame.moment >= frame.latest ? frame.timeMs : undefined);
    if (frame.moment === this.latest || mode === 'live') this.series.add(frame);
    this.publishSoon();
  }

  private learn(run: R): void {
    const first = run.first_moment ?? 0;
    this.store.setState({ run, first });
    this.grow(run.moments - 1, run.last_ms);
    const { mode, wanted } = this.store.getState();
    // A link may lead to a time before the run's own.
    if (mode === 'paused' && wanted < first) this.seek(first);
    if (performance.now() - this.seriesAt > SERIES_RELOAD_MS || this.seriesAt === 0) void this.loadSeries();
  }

  /** The run has got longer; `atMs` is the time of its newest moment, when that is known. */
  private grow(latest: number, atMs: number | undefined): void {
    if (latest < this.latest) return;
    if (this.latest > 0 && latest > this.latest) this.grewAt = performance.now();
    this.latest = latest;
    const { latestMs, latest: shown } = this.store.getState();
    const newestMs = newest(latestMs, atMs);
    if (shown !== latest || newestMs !== latestMs) this.store.setState({ latest, latestMs: newestMs });
  }

  private async poll(): Promise<void> {
    try {
      const run = await this.source.run(this.runId);
      if (this.closed) return;
      this.connection({ rest: true });
      this.learn(run);
    } catch {
      if (!this.closed) this.connection({ rest: false });
    }
    const growing = performance.now() - this.grewAt < GROWING_MS;
    if (growing !== this.store.getState().growing) this.store.setState({ growing });
  }

  private async loadSeries(): Promise<void> {
    this.seriesAt = performance.now();
    try {
      const rows = await this.source.statistics(this.runId, SERIES_POINTS);
      if (!this.closed) this.series.load(rows);
    } catch {
      this.seriesAt = 0;
    }
  }

  private connection(change: { socket?: boolean; rest?: boolean }): void {
    if (change.socket !== undefined) this.socketUp = change.socket;
    if (change.rest !== undefined) this.restUp = change.rest;
    const away = !(this.socketUp && this.restUp);
    const { awaySince } = this.store.getState();
    // A first connection takes a moment; only a failure or a lost one is worth a word.
    const failed = change.socket === false || change.rest === false;
    if (away && awaySince === undefined && failed) this.store.setState({ awaySince: Date.now() });
    if (!away && awaySince !== undefined) {
      this.store.setState({ awaySince: undefined });
      void this.loadSeries();
    }
  }

  private publishSoon(): void {
    if (this.publishTimer !== undefined) return;
    const every = this.store.getState().mode === 'live' ? PUBLISH_LIVE_MS : PUBLISH_MS;
    const wait = Math.max(0, this.publishedAt + every - performance.now());
    if (wait === 0) this.publish();
    else this.publishTimer = setTimeout(() => this.publish(), wait);
  }

  private publish(): void {
    this.publishTimer = undefined;
    this.publishedAt = performance.now();
    const frame = this.picture.current;
    if (frame === undefined || this.closed) return;
    const { mode, wanted, hasPicture } = this.store.getState();
    const isSplit = mode === 'live' && hasPicture;
    this.store.setState({
      moment: frame.moment,
      timeMs: this.timeAt(frame.moment),
      ...(!isSplit && { figures: frame.figures }),
      epoch: frame.epoch,
      wanted: mode === 'live' ? frame.moment : wanted,
      growing: performance.now() - this.grewAt < GROWING_MS,
      hasPicture: true,
    });
    if (isSplit) this.publishTimer = setTimeout(() => this.publishFigures(frame), FIGURES_AFTER_MS);
  }

  private publishFigures(frame: Frame): void {
    this.publishTimer = undefined;
    this.store.setState({ figures: frame.figures });
    if (this.picture.current !== frame) this.publishSoon();
  }
}
