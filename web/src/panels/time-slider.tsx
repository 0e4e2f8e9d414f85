import Box from '@mui/material/Box';
import Slider from '@mui/material/Slider';
import { useMemo } from 'react';
import { lowerBound, type Series } from '../live/series';
import { formatClock, formatCount } from '../ui/format';
import { useHappenings } from '../ui/happenings';
import { useSeriesVersion, useSession, useSessionState } from '../ui/session-context';
import { texts } from '../ui/texts';

const BOX_WIDTH = 1000;
const BOX_HEIGHT = 30;
/** The curve needs no more points than the slider has pixels. */
const CURVE_POINTS = 400;

/** The slider over the moments, with the curve of the infected behind it and marks of what happened. */
export function TimeSlider() {
  const session = useSession();
  const wanted = useSessionState((state) => state.wanted);
  const latest = useSessionState((state) => state.latest);
  const label = (moment: number) => {
    const figures = session.series.figuresAt(moment);
    const when = formatClock(session.timeAt(moment));
    const zombies = figures && `${texts.figures.zombies} ${formatCount(figures.zombies)}`;
    return [texts.time.day(moment), when, zombies].filter(Boolean).join(' · ');
  };
  return (
    <Box sx={{ position: 'relative', mx: 1.25, mt: 0.5 }}>
      <InfectedCurve latest={latest} />
      <Slider
        aria-label={texts.time.slider}
        color="error"
        min={0}
        max={Math.max(1, latest)}
        step={1}
        shiftStep={10}
        value={Math.min(wanted, Math.max(1, latest))}
        onChange={(_, value) => session.seek(value as number)}
        valueLabelDisplay="auto"
        valueLabelFormat={label}
        getAriaValueText={label}
        size="small"
        sx={{ display: 'block', py: '13px', position: 'relative' }}
      />
    </Box>
  );
}

function InfectedCurve({ latest }: { latest: number }) {
  const { series } = useSession();
  const version = useSeriesVersion();
  // biome-ignore lint/correctness/useExhaustiveDependencies: `version` says that the series, which is not React's, has changed.
  const { area, marks } = useMemo(() => curveOf(series, latest), [series, version, latest]);
  const faults = useHappenings((happenings) => happenings.list).filter(({ isFault }) => isFault);
  const first = series.columns.time_ms[0] ?? Number.POSITIVE_INFINITY;
  return (
    <Box
      component="svg"
      viewBox={`0 0 ${BOX_WIDTH} ${BOX_HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      sx={{
        position: 'absolute',
        left: 0,
        bottom: 13,
        width: '100%',
        height: BOX_HEIGHT - 6,
        color: 'error.main',
        overflow: 'visible',
      }}
    >
      <path d={area} fill="currentColor" opacity={0.16} />
      {marks.map(({ name, x }) => (
        <line
          key={name}
          x1={x}
          x2={x}
          y1={0}
          y2={BOX_HEIGHT}
          stroke="currentColor"
          opacity={0.7}
          strokeDasharray="2 2"
          vectorEffect="non-scaling-stroke"
        >
          <title>{name}</title>
        </line>
      ))}
      {faults
        .filter(({ atMs }) => atMs >= first)
        .map(({ id, atMs, words }) => (
          <Box
            component="line"
            key={id}
            data-fault={words}
            x1={((series.momentAt(atMs) ?? 0) / Math.max(1, latest)) * BOX_WIDTH}
            x2={((series.momentAt(atMs) ?? 0) / Math.max(1, latest)) * BOX_WIDTH}
            y1={0}
            y2={BOX_HEIGHT}
            vectorEffect="non-scaling-stroke"
            sx={{ stroke: 'currentColor', strokeWidth: 2, color: 'warning.main' }}
          >
            <title>{words}</title>
          </Box>
        ))}
    </Box>
  );
}

function curveOf(series: Series, latest: number): { area: string; marks: { name: string; x: number }[] } {
  const { moment, zombies, infections } = series.columns;
  const rows = moment.length;
  if (rows < 2 || latest < 1) return { area: '', marks: [] };
  const peak = Math.max(1, ...zombies);
  const x = (row: number) => ((moment[row] as number) / latest) * BOX_WIDTH;
  const stride = Math.max(1, Math.floor(rows / CURVE_POINTS));
  const points: string[] = [];
  for (let row = 0; row < rows; row += stride) {
    // The highest of the rows that share a point: no peak is lost.
    let high = 0;
    for (let i = row; i < Math.min(rows, row + stride); i += 1) high = Math.max(high, zombies[i] as number);
    points.push(`${x(row).toFixed(1)},${(BOX_HEIGHT - (high / peak) * BOX_HEIGHT).toFixed(1)}`);
  }
  const end = x(rows - 1).toFixed(1);
  const area = `M${x(0).toFixed(1)},${BOX_HEIGHT}L${points.join('L')}L${end},${BOX_HEIGHT}Z`;
  const marks: { name: string; x: number }[] = [];
  const seeds = infections[0] ?? 0;
  const first = lowerBound(infections, seeds + 1);
  if (first > 0 && Number.isFinite(infections[first]))
    marks.push({ name: texts.time.marks.first, x: x(first) });
  if (peak > 1) marks.push({ name: texts.time.marks.peak, x: x(zombies.indexOf(peak)) });
  return { area, marks };
}
