// Paints for the page in a thread of its own: takes an order, answers with a picture.
import { ColumnStore, type Order } from './columns';
import { Easel, type Painted } from './easel';

export interface Answer {
  /** Undefined when this could not be painted. */
  painted: Painted | undefined;
  /** Buffers that the page may use again. */
  spare: ArrayBuffer[];
}

/** As much of a worker's own scope as is used; the page's types know only windows. */
interface Scope {
  onmessage: (message: MessageEvent<Order>) => void;
  postMessage(answer: Answer, transfer: Transferable[]): void;
}

const scope = self as unknown as Scope;
const store = new ColumnStore();
const easel = new Easel();

scope.onmessage = ({ data }) => {
  void work(data);
};

async function work(order: Order): Promise<void> {
  const { job, spare } = store.unpack(order);
  const painted = await easel.paint(job).catch(() => undefined);
  scope.postMessage({ painted, spare }, painted === undefined ? spare : [painted.picture, ...spare]);
}
