import { decodeFrame, type Frame } from './frame';

/** First wait before a new attempt; it doubles up to the longest. */
const RETRY_MS_MIN = 400;
const RETRY_MS_MAX = 5000;
/** A connection that has not opened by then is given up and tried anew. */
const OPEN_MS_MAX = 8000;

export interface SocketEvents<Run> {
  hello(run: Run): void;
  frame(frame: Frame): void;
  missing(moment: number): void;
  runsChanged(): void;
  up(): void;
  down(): void;
}

interface Seek {
  moment: number;
  request: number;
}

/**
 * The live connection of one run. It comes back by itself, acknowledges each frame, and keeps at most
 * one seek on the way: while one is unanswered only the newest other is remembered.
 */
export class LiveSocket<Run> {
  private socket: WebSocket | undefined;
  private retryMs = RETRY_MS_MIN;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;
  private requests = 0;
  private wanted: 'live' | Seek = 'live';
  private onTheWay: Seek | undefined;
  private window: object | undefined;

  constructor(
    private readonly url: string,
    private readonly events: SocketEvents<Run>,
    private readonly open: (url: string) => WebSocket = (at) => new WebSocket(at),
  ) {
    this.connect();
  }

  /** Asks for one moment; pushing stops. */
  seek(moment: number): void {
    this.requests += 1;
    this.wanted = { moment, request: this.requests };
    if (this.onTheWay === undefined) this.sendWanted();
  }

  /** Asks for whatever is newest, now and from now on. */
  live(): void {
    if (this.wanted === 'live') return;
    this.wanted = 'live';
    this.onTheWay = undefined;
    this.sendWanted();
  }

  /** Says what of the field is looked at, now and after each reconnection; undefined: all of it. */
  look(window: object | undefined): void {
    this.window = window;
    this.send({ type: 'view', ...(window && { window }) });
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  /** True for a frame that was asked for and has been overtaken by what the visitor wants now. */
  private isStale(frame: Frame): boolean {
    return this.wanted === 'live' ? frame.request !== 0 : frame.request === 0;
  }

  private connect(): void {
    const socket = this.open(this.url);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    this.timer = setTimeout(() => socket.close(), OPEN_MS_MAX);
    socket.onopen = () => {
      clearTimeout(this.timer);
      this.onTheWay = undefined;
      if (this.window !== undefined) this.look(this.window);
      if (this.wanted !== 'live') this.sendWanted();
    };
    socket.onmessage = (message: MessageEvent<string | ArrayBuffer>) => {
      if (this.socket !== socket) return;
      if (typeof message.data === 'string') this.hearText(message.data);
      else this.hearFrame(decodeFrame(message.data));
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      clearTimeout(this.timer);
      this.socket = undefined;
      this.onTheWay = undefined;
      if (this.closed) return;
      this.events.down();
      this.timer = setTimeout(() => this.connect(), this.retryMs * (0.75 + Math.random() / 2));
      this.retryMs = Math.min(RETRY_MS_MAX, this.retryMs * 2);
    };
  }

  private hearFrame(frame: Frame): void {
    this.send({ type: 'ack', seq: frame.seq });
    if (this.onTheWay?.request === frame.request) this.answered();
    if (!this.isStale(frame)) this.events.frame(frame);
  }

  private hearText(data: string): void {
    const message = JSON.parse(data) as { type: string; run?: Run; request?: number };
    if (message.type === 'hello' && message.run !== undefined) {
      this.retryMs = RETRY_MS_MIN;
      this.events.up();
      this.events.hello(message.run);
    } else if (message.type === 'runs-changed') {
      this.events.runsChanged();
    } else if (message.type === 'missing' && this.onTheWay?.request === message.request) {
      const { moment } = this.onTheWay as Seek;
      this.answered();
      this.events.missing(moment);
    }
  }

  private answered(): void {
    const done = this.onTheWay;
    this.onTheWay = undefined;
    if (this.wanted !== 'live' && this.wanted.request !== done?.request) this.sendWanted();
  }

  private sendWanted(): void {
    if (this.socket?.readyState !== 1) return;
    if (this.wanted === 'live') {
      this.send({ type: 'live' });
    } else {
      this.onTheWay = this.wanted;
      this.send({ type: 'seek', ...this.wanted });
    }
  }

  private send(message: object): void {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(message));
  }
}
