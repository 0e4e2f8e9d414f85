import type { Flow, LaboratoryInfo, Part, PartKind } from '../../api/operator';

/** The way of a record, from left to right. */
export const KINDS: readonly PartKind[] = ['devices', 'broker', 'ingest', 'store', 'serve'];

export interface Station {
  kind: PartKind;
  parts: Part[];
}

/** What goes from one station to the next. */
export interface Way {
  from: PartKind;
  to: PartKind;
  recordsPerS: number | undefined;
  bytesPerS: number | undefined;
  lagRecords: number | undefined;
  /** Age of the newest record that has gone through. */
  newestAgeMs: number | undefined;
}

/** Stations that have a part or a flow, in the order of the way, and the ways between neighbours. */
export function arrange(info: LaboratoryInfo): { stations: Station[]; ways: Way[] } {
  const stations = KINDS.map((kind) => ({
    kind,
    parts: info.parts.filter((part) => part.kind === kind),
  })).filter(
    ({ kind, parts }) => parts.length > 0 || info.flows.some(({ from, to }) => from === kind || to === kind),
  );
  const ways = stations.slice(1).map((station, index) => {
    const from = (stations[index] as Station).kind;
    const flows = info.flows.filter((flow) => flow.from === from && flow.to === station.kind);
    return { from, to: station.kind, ...summed(flows, info.now_ms) };
  });
  return { stations, ways };
}

/** Several flows between the same two stations as one. */
export function summed(flows: readonly Flow[], nowMs: number): Omit<Way, 'from' | 'to'> {
  const newest = flows.map((flow) => flow.newest_record_ms).filter((ms): ms is number => ms != null);
  return {
    recordsPerS: sum(flows.map((flow) => flow.records_per_s)),
    bytesPerS: sum(flows.map((flow) => flow.bytes_per_s)),
    lagRecords: sum(flows.map((flow) => flow.lag_records)),
    newestAgeMs: newest.length === 0 ? undefined : Math.max(0, nowMs - Math.max(...newest)),
  };
}

/** Undefined when none is known. */
function sum(values: readonly (number | null | undefined)[]): number | undefined {
  const known = values.filter((value): value is number => value != null);
  return known.length === 0 ? undefined : known.reduce((all, value) => all + value, 0);
}
