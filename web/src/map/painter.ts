import { ColumnSender } from './columns';
import { Easel, type Job, type Painted } from './easel';
import type { Answer } from './painter.worker';

type Done = (painted: Painted) => void;

/**
 * Paints pictures of many people away from the page's own thread, one at a time: who has something to paint asks again
 * when `ready` is called. The worker begins with the first picture; where there is no worker the page paints itself.
 */
export class Painter {
  private worker: Worker | undefined;
  private here: Easel | undefined;
  private readonly columns = new ColumnSender();
  private done: Done | undefined;
  private disposed = false;

  constructor(private readonly ready: () => void) {}

  /** Is there a thread of its own to paint in? */
  get apart(): boolean {
    if (this.worker === undefined && this.here === undefined) this.begin();
    return this.worker !== undefined;
  }

  get idle(): boolean {
    return this.done === undefined;
  }

  /** Paints, when idle; `done` gets the picture, and has to close it when it is no longer needed. */
  start(job: Job, done: Done): void {
    this.done = done;
    if (this.apart) {
      const order = this.columns.pack(job);
      const buffers = order.columns.map(({ buffer }) => buffer);
      this.worker?.postMessage(order, buffers);
    } else {
      const easel = this.here as Easel;
      void easel.paint(job).then(
        (painted) => this.answer(painted),
        () => this.answer(undefined),
      );
    }
  }

  dispose(): void {
    this.disposed = true;
    this.worker?.terminate();
  }

  private begin(): void {
    try {
      const worker = new Worker(new URL('./painter.worker.ts', import.meta.url), { type: 'module' });
      worker.onmessage = ({ data }: MessageEvent<Answer>) => {
        this.columns.recycle(data.spare);
        this.answer(data.painted);
      };
      worker.onerror = () => this.paintHere();
      worker.onmessageerror = () => this.paintHere();
      this.worker = worker;
    } catch {
      this.here = new Easel();
    }
  }

  /** The worker did not load or has broken: the page goes on by itself. */
  private paintHere(): void {
    this.worker?.terminate();
    this.worker = undefined;
    this.here = new Easel();
    this.answer(undefined);
  }

  private answer(painted: Painted | undefined): void {
    const { done } = this;
    this.done = undefined;
    if (this.disposed) {
      painted?.picture.close();
      return;
    }
    if (painted !== undefined) done?.(painted);
    this.ready();
  }
}
