import type { Infection } from '../../api/client';

/** More than so many cannot be read; branches beyond it are only counted. */
export const SHOWN_MAX = 500;

/** Somebody infected in the chain. The same person can be in it more than once: immunity ends. */
export interface Case {
  id: string;
  timeMs: number;
  children: Case[];
  /** Cases below this one that are not shown. */
  hidden: number;
}

/**
 * Everybody whom a person infected, whom those infected, and so on. An infection belongs to the infector's
 * own infection before it, so that no case is below itself.
 */
export function chainFrom(root: string, infections: readonly Infection[]): Case {
  const byInfector = new Map<string, Infection[]>();
  const ownTimes = new Map<string, number[]>();
  for (const infection of infections) {
    if (infection.infector != null) push(byInfector, infection.infector, infection);
    push(ownTimes, infection.infectee, infection.time_ms);
  }
  const first = Math.min(
    ...(ownTimes.get(root) ?? []),
    ...(byInfector.get(root) ?? []).map((i) => i.time_ms),
  );
  const top: Case = { id: root, timeMs: Number.isFinite(first) ? first : 0, children: [], hidden: 0 };
  let shown = 1;
  const queue: { of: Case; untilMs: number }[] = [{ of: top, untilMs: Number.POSITIVE_INFINITY }];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { of, untilMs } = next;
    const caused = (byInfector.get(of.id) ?? []).filter((i) => i.time_ms >= of.timeMs && i.time_ms < untilMs);
    for (const infection of caused) {
      if (shown >= SHOWN_MAX) {
        of.hidden += 1;
        continue;
      }
      shown += 1;
      const found: Case = { id: infection.infectee, timeMs: infection.time_ms, children: [], hidden: 0 };
      of.children.push(found);
      const again = (ownTimes.get(found.id) ?? []).filter((time) => time > found.timeMs);
      queue.push({ of: found, untilMs: Math.min(Number.POSITIVE_INFINITY, ...again) });
    }
  }
  return top;
}

/** A case in its row. */
export interface Row {
  of: Case;
  row: number;
  /** The row of the infector; undefined for the first. */
  parent: Row | undefined;
}

/** A row for each case, each branch under its root: names never lie on each other. */
export function rowsOf(top: Case): Row[] {
  const rows: Row[] = [];
  const visit = (of: Case, parent: Row | undefined) => {
    const row = { of, row: rows.length, parent };
    rows.push(row);
    for (const child of of.children) visit(child, row);
  };
  visit(top, undefined);
  return rows;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
