import Box from '@mui/material/Box';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import type { Series } from '../../live/series';
import { formatClock } from '../../ui/format';
import { MAP_PALETTES } from '../../ui/palette';
import { useSession } from '../../ui/session-context';
import { texts } from '../../ui/texts';
import { useScheme } from '../../ui/use-map-palette';
import { type CurveName, linesOf } from './lines';
import { Plot } from './plot';

const HEIGHT = 168;
/** The chart is drawn anew at most so often, however fast frames come. */
const REDRAW_MS = 250;
const PAGE_ROWS = 20;

const COLOURS = {
  light: { text: '#505d6b', grid: '#e6eaef', now: '#17202b' },
  dark: { text: '#a3afbc', grid: '#232e39', now: '#e8edf2' },
};

interface EpidemicChartProps {
  curve: CurveName;
  /** The row under the pointer or the keys; undefined when there is none. */
  onRow(row: number | undefined): void;
}

/** The curve, streaming. For keys and screen readers it is a slider over the days whose value is read out. */
export function EpidemicChart({ curve, onRow }: EpidemicChartProps) {
  const session = useSession();
  const { series } = session;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>(undefined);
  const scheme = useScheme();
  const [row, setRow] = useState<number>();
  const report = useRef(onRow);
  report.current = onRow;

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const palette = MAP_PALETTES[scheme];
    const made = new Plot(
      element,
      linesOf(curve, series.columns, palette),
      COLOURS[scheme],
      {
        hover: (at) => {
          setRow(at);
          report.current(at);
        },
        click: (at) => session.seek(series.columns.moment[at] ?? 0),
      },
      { width: element.clientWidth, height: HEIGHT },
    );
    plot.current = made;
    const stop = keepFed(series, () =>
      made.data(
        series.columns.moment,
        linesOf(curve, series.columns, palette).map((line) => line.values),
      ),
    );
    const marks = session.store.subscribe((state) => made.mark(state.moment));
    made.mark(session.store.getState().moment);
    const room = new ResizeObserver(() => made.size(element.clientWidth, HEIGHT));
    room.observe(element);
    return () => {
      room.disconnect();
      marks();
      stop();
      made.dispose();
      plot.current = undefined;
    };
  }, [session, series, curve, scheme]);

  const onKeyDown = (event: KeyboardEvent) => {
    const last = series.columns.moment.length - 1;
    const at = row ?? last;
    const to = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      PageDown: at - PAGE_ROWS,
      PageUp: at + PAGE_ROWS,
      Home: 0,
      End: last,
    }[event.key];
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (to !== undefined) plot.current?.cursor(Math.min(last, Math.max(0, to)));
    else if (event.key === 'Enter') session.seek(series.columns.moment[at] ?? 0);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <Box
      ref={host}
      role="slider"
      tabIndex={0}
      aria-label={texts.curve.label}
      aria-description={texts.curve.keys}
      aria-valuemin={0}
      aria-valuemax={Math.max(0, series.columns.moment.at(-1) ?? 0)}
      aria-valuenow={series.columns.moment[row ?? -1] ?? 0}
      aria-valuetext={row === undefined ? texts.curve.noRow : rowText(series, curve, row)}
      onKeyDown={onKeyDown}
      sx={{
        height: HEIGHT,
        cursor: 'pointer',
        borderRadius: 1,
        '&:focus-visible': { outline: '2px solid', outlineColor: 'primary.main' },
        '& .u-cursor-x': { borderColor: 'text.secondary' },
      }}
    />
  );
}

/** Draws when the series has changed, at most each `REDRAW_MS`. */
function keepFed(series: Series, draw: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const later = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      draw();
    }, REDRAW_MS);
  };
  draw();
  const stop = series.subscribe(later);
  return () => {
    stop();
    clearTimeout(timer);
  };
}

function rowText(series: Series, curve: CurveName, row: number): string {
  const { columns } = series;
  const values = linesOf(curve, columns, MAP_PALETTES.light)
    .map(({ name, values: all }) => `${name} ${Math.round(all[row] ?? 0)}`)
    .join(', ');
  return texts.curve.row(columns.moment[row] ?? 0, `${formatClock(columns.time_ms[row] ?? 0)}, ${values}`);
}
