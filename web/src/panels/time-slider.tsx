import Box from '@mui/material/Box';
import Slider from '@mui/material/Slider';
import { useMemo } from 'react';
import type { Series } from '../live/series';
import { formatClock, formatCount } from '../ui/format';
import { useSeriesVersion, useSession, useSessionState } from '../ui/session-context';
import { texts } from '../ui/texts';
import { type Mark, useMarks } from './time-marks';

const BOX_WIDTH = 1000;
const BOX_HEIGHT = 30;
/** The curve needs no more points than the slider has pixels. */
const CURVE_POINTS = 400;
/** Where the curve stands over the rail, CSS px. */
const RAIL_PX = 13;
const CURVE_PX = 24;

/** The slider over the moments, with the curve of the infected behind it and marks of what happened. */
export function TimeSlider() {
  const session = useSession();
  const wanted = useSessionState((state) => state.wanted);
  const first = useSessionState((state) => state.first);
  const last = useSessionState((state) => Math.max(state.first + 1, state.latest));
  const marks = useMarks();
  const label = (moment: number) => {
    const figures = session.series.figuresAt(moment);
    const when = formatClock(session.timeAt(moment));
    const zombies = figures && `${texts.figures.zombies} ${formatCount(figures.zombies)}`;
    const marked = marks.filter((mark) => mark.moment === moment).map(({ name }) => name);
    return [texts.time.day(moment), when, zombies, ...marked].filter(Boolean).join(' · ');
  };
  return (
    <Box sx={{ position: 'relative', mx: 1.25, mt: 0.5 }}>
      <InfectedCurve first={first} last={last} />
      <Slider
        aria-label={texts.time.slider}
        color="error"
        min={first}
        max={last}
        step={1}
        shiftStep={10}
        value={Math.min(Math.max(wanted, first), last)}
        onChange={(_, value) => session.seek(value as number)}
        valueLabelDisplay="auto"
        valueLabelFormat={label}
        getAriaValueText={label}
        size="small"
        sx={{ display: 'block', py: `${RAIL_PX}px`, position: 'relative' }}
      />
      <Marks marks={marks} first={first} last={last} />
    </Box>
  );
}

interface Range {
  first: number;
  last: number;
}

function InfectedCurve({ first, last }: Range) {
  const { series } = useSession();
  const version = useSeriesVersion();
  // biome-ignore lint/correctness/useExhaustiveDependencies: `version` says that the series, which is not React's, has changed.
  const area = useMemo(() => areaOf(series, first, last), [series, version, first, last]);
  return (
    <Box
      component="svg"
      viewBox={`0 0 ${BOX_WIDTH} ${BOX_HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      sx={{
        position: 'absolute',
        left: 0,
        bottom: RAIL_PX,
        width: '100%',
        height: CURVE_PX,
        color: 'error.main',
        overflow: 'visible',
      }}
    >
      <path d={area} fill="currentColor" opacity={0.16} />
    </Box>
  );
}

/** Lines over the slider; by keyboard N and P go from one to the next. */
function Marks({ marks, first, last }: Range & { marks: readonly Mark[] }) {
  const session = useSession();
  return (
    <Box aria-hidden="true" sx={{ position: 'absolute', inset: 0, bottom: RAIL_PX + 4, top: 'auto' }}>
      {marks
        .filter(({ moment }) => moment >= first && moment <= last)
        .map(({ name, moment, isFault }, index) => (
          <Box
            // biome-ignore lint/suspicious/noArrayIndexKey: two marks may have all in common.
            key={`${name} ${moment} ${index}`}
            title={`${name}: ${texts.time.day(moment)}`}
            data-mark={name}
            {...(isFault && { 'data-fault': name })}
            onClick={() => session.seek(moment)}
            style={{ left: `${(100 * (moment - first)) / (last - first)}%` }}
            sx={{
              position: 'absolute',
              bottom: 0,
              width: 11,
              ml: '-5.5px',
              height: CURVE_PX - 4,
              cursor: 'pointer',
              '&::before': {
                content: '""',
                position: 'absolute',
                left: 5,
                inset: '0 auto 0 5px',
                borderLeft: isFault ? '2px solid' : '1px dashed',
                borderColor: isFault ? 'warning.main' : 'error.main',
              },
              '&::after': isFault
                ? {
                    content: '""',
                    position: 'absolute',
                    top: -2,
                    left: 2,
                    border: '4px solid transparent',
                    borderTopColor: 'warning.main',
                    borderTopWidth: 6,
                    borderBottom: 0,
                  }
                : {},
            }}
          />
        ))}
    </Box>
  );
}

function areaOf(series: Series, first: number, last: number): string {
  const { moment, zombies } = series.columns;
  const rows = moment.length;
  if (rows < 2) return '';
  const peak = zombies.reduce((high, value) => Math.max(high, value), 1);
  const x = (row: number) => (((moment[row] as number) - first) / (last - first)) * BOX_WIDTH;
  const stride = Math.max(1, Math.floor(rows / CURVE_POINTS));
  const points: string[] = [];
  for (let row = 0; row < rows; row += stride) {
    // The highest of the rows that share a point: no peak is lost.
    let high = 0;
    for (let i = row; i < Math.min(rows, row + stride); i += 1) high = Math.max(high, zombies[i] as number);
    points.push(`${x(row).toFixed(1)},${(BOX_HEIGHT - (high / peak) * BOX_HEIGHT).toFixed(1)}`);
  }
  const end = x(rows - 1).toFixed(1);
  return `M${x(0).toFixed(1)},${BOX_HEIGHT}L${points.join('L')}L${end},${BOX_HEIGHT}Z`;
}
