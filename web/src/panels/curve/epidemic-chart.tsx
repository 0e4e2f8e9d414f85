import { useCallback, useMemo } from 'react';
import type { Series } from '../../live/series';
import { formatClock } from '../../ui/format';
import { MAP_PALETTES } from '../../ui/palette';
import { useSession } from '../../ui/session-context';
import { texts } from '../../ui/texts';
import { type ChartSource, LineChart } from '../chart/line-chart';
import { type CurveName, linesOf } from './lines';

const HEIGHT = 156;

interface EpidemicChartProps {
  curve: CurveName;
  /** The row under the pointer or the keys; undefined when there is none. */
  onRow(row: number | undefined): void;
}

/** The curve of the run on show; choosing a row goes to its day. */
export function EpidemicChart({ curve, onRow }: EpidemicChartProps) {
  const session = useSession();
  const { series } = session;
  const source = useMemo(
    (): ChartSource => ({
      xs: () => series.columns.moment,
      lines: (palette) => linesOf(curve, series.columns, palette),
      subscribe: (listener) => series.subscribe(listener),
    }),
    [series, curve],
  );
  const marks = useCallback(
    (mark: (moment: number) => void) => {
      mark(session.store.getState().moment);
      return session.store.subscribe((state) => mark(state.moment));
    },
    [session],
  );
  return (
    <LineChart
      source={source}
      height={HEIGHT}
      label={texts.curve.label}
      keys={texts.curve.keys}
      rowText={(row) => (row === undefined ? texts.curve.noRow : rowText(series, curve, row))}
      onRow={onRow}
      onChoose={(row) => session.seek(series.columns.moment[row] ?? 0)}
      marks={marks}
    />
  );
}

function rowText(series: Series, curve: CurveName, row: number): string {
  const { columns } = series;
  const values = linesOf(curve, columns, MAP_PALETTES.light)
    .map(({ name, values: all }) => `${name} ${Math.round(all[row] ?? 0)}`)
    .join(', ');
  return texts.curve.row(columns.moment[row] ?? 0, `${formatClock(columns.time_ms[row] ?? 0)}, ${values}`);
}
