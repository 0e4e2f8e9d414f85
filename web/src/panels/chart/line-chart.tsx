import Box from '@mui/material/Box';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { MAP_PALETTES, type MapPalette } from '../../ui/palette';
import { useScheme } from '../../ui/use-map-palette';
import { type Line, Plot } from './plot';

/** The chart is drawn anew at most so often, however fast its source grows. */
const REDRAW_MS = 250;
const PAGE_ROWS = 20;
const CLOCK_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];

const COLOURS = {
  light: { text: '#505d6b', grid: '#e6eaef', now: '#17202b' },
  dark: { text: '#a3afbc', grid: '#232e39', now: '#e8edf2' },
};

/** What is drawn; it may grow while it is on show. Another source makes another chart. */
export interface ChartSource {
  xs(): number[];
  lines(palette: MapPalette): Line[];
  subscribe(listener: () => void): () => void;
}

interface LineChartProps {
  source: ChartSource;
  height: number;
  label: string;
  /** Which keys do what. */
  keys: string;
  /** What a row says; undefined: no row is chosen. */
  rowText(row: number | undefined): string;
  /** The row under the pointer or the keys. */
  onRow?(row: number | undefined): void;
  /** A row was clicked, or Enter pressed on it. */
  onChoose?(row: number): void;
  /** The x axis is seconds, of a clock or since a beginning. */
  formatX?: (x: number) => string;
  /** The y axis goes up to this at least. */
  least?: number;
  /** Tells the place on the x axis that is marked, until the returned function is called. */
  marks?: (mark: (x: number) => void) => () => void;
}

/** Curves, streaming. For keys and screen readers it is a slider over the rows whose value is read out. */
export function LineChart(props: LineChartProps) {
  const { source, height, label, keys, rowText, formatX, least, marks } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>(undefined);
  const scheme = useScheme();
  const [row, setRow] = useState<number>();
  const report = useRef(props);
  report.current = props;

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const palette = MAP_PALETTES[scheme];
    const made = new Plot(
      element,
      source.lines(palette),
      COLOURS[scheme],
      {
        hover: (at) => {
          setRow(at);
          report.current.onRow?.(at);
        },
        click: (at) => report.current.onChoose?.(at),
      },
      { width: element.clientWidth, height },
      { formatX, least, ...(formatX && { stepsX: CLOCK_STEPS_S }) },
    );
    plot.current = made;
    const stop = keepFed(source, () =>
      made.data(
        source.xs(),
        source.lines(palette).map((line) => line.values),
      ),
    );
    const unmark = marks?.((x) => made.mark(x));
    const room = new ResizeObserver(() => made.size(element.clientWidth, height));
    room.observe(element);
    return () => {
      room.disconnect();
      unmark?.();
      stop();
      made.dispose();
      plot.current = undefined;
    };
  }, [source, scheme, height, formatX, least, marks]);

  const onKeyDown = (event: KeyboardEvent) => {
    const last = source.xs().length - 1;
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
    else if (event.key === 'Enter' && props.onChoose) props.onChoose(at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const xs = source.xs();
  return (
    <Box
      ref={host}
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-description={keys}
      aria-valuemin={xs[0] ?? 0}
      aria-valuemax={xs.at(-1) ?? 0}
      aria-valuenow={xs[row ?? -1] ?? xs[0] ?? 0}
      aria-valuetext={rowText(row)}
      onKeyDown={onKeyDown}
      sx={{
        height,
        cursor: props.onChoose ? 'pointer' : 'crosshair',
        borderRadius: 1,
        '&:focus-visible': { outline: '2px solid', outlineColor: 'primary.main' },
        '& .u-cursor-x': { borderColor: 'text.secondary' },
      }}
    />
  );
}

/** A source of what React holds; the chart is made anew only when `shape` changes. */
export function useChartSource(shape: string, xs: number[], lines: Line[]): ChartSource {
  const latest = useRef({ xs, lines });
  const listeners = useRef(new Set<() => void>());
  latest.current = { xs, lines };
  // biome-ignore lint/correctness/useExhaustiveDependencies: these are what changed.
  useEffect(() => {
    for (const listener of listeners.current) listener();
  }, [xs, lines]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another shape is another chart.
  return useMemo(
    () => ({
      xs: () => latest.current.xs,
      lines: () => latest.current.lines,
      subscribe: (listener: () => void) => {
        listeners.current.add(listener);
        return () => listeners.current.delete(listener);
      },
    }),
    [shape],
  );
}

/** Draws when the source has changed, at most each `REDRAW_MS`. */
function keepFed(source: ChartSource, draw: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const later = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      draw();
    }, REDRAW_MS);
  };
  draw();
  const stop = source.subscribe(later);
  return () => {
    stop();
    clearTimeout(timer);
  };
}
