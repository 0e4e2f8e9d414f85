import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import ToggleButton from '@mui/material/ToggleButton';
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { lowerBound } from '../../live/series';
import { formatClock } from '../../ui/format';
import { Panel } from '../../ui/panel';
import { useSeriesVersion, useSession, useSessionState } from '../../ui/session-context';
import { texts } from '../../ui/texts';
import { useMapPalette } from '../../ui/use-map-palette';
import { LineMark, ValueTable, written } from '../chart/readings';
import { EpidemicChart } from './epidemic-chart';
import { CURVES, type CurveName, linesOf, sampled } from './lines';

const TABLE_ROWS = 50;
const NAMES: Record<CurveName, string> = {
  present: texts.curve.people,
  incidence: texts.curve.incidence,
  meetings: texts.curve.meetings,
};

/** The curves, what each line is worth under the cursor, and the same as a table. */
export function CurvePanel() {
  const [curve, setCurve] = useState<CurveName>('present');
  const [row, setRow] = useState<number>();
  const [asTable, setAsTable] = useState(false);
  return (
    <Panel
      heading={texts.curve.heading}
      aside={
        <ToggleButtonGroup
          exclusive
          size="small"
          value={curve}
          onChange={(_, value: CurveName | null) => value !== null && setCurve(value)}
          aria-label={texts.curve.which}
          sx={{ '& .MuiToggleButton-root': { py: 0.1, px: 0.9, fontSize: '0.72rem', textTransform: 'none' } }}
        >
          {CURVES.map((name) => (
            <ToggleButton key={name} value={name}>
              {NAMES[name]}
            </ToggleButton>
          ))}
        </ToggleButtonGroup>
      }
    >
      <EpidemicChart curve={curve} onRow={setRow} />
      <Readout curve={curve} row={row} />
      <Button
        size="small"
        color="inherit"
        onClick={() => setAsTable(!asTable)}
        aria-expanded={asTable}
        sx={{ mt: 0.5, ml: -0.75, color: 'text.secondary' }}
      >
        {asTable ? texts.curve.noTable : texts.curve.table}
      </Button>
      {asTable && <CurveTable curve={curve} />}
    </Panel>
  );
}

/** The values under the cursor, else those of the moment on show. */
function Readout({ curve, row }: { curve: CurveName; row: number | undefined }) {
  const shown = useSessionState((state) => state.moment);
  const { series } = useSession();
  const palette = useMapPalette();
  useSeriesVersion();
  const { columns } = series;
  const at = row ?? Math.min(columns.moment.length - 1, lowerBound(columns.moment, shown));
  if (at < 0) return <Typography variant="caption">{texts.curve.empty}</Typography>;
  const time = formatClock(columns.time_ms[at] ?? 0);
  return (
    <Box
      sx={{
        display: 'flex',
        flexWrap: 'wrap',
        columnGap: 1.5,
        fontSize: '0.75rem',
        color: 'text.secondary',
        minHeight: 18,
      }}
    >
      <span>
        {texts.time.day(columns.moment[at] ?? 0)} · {time}
      </span>
      {linesOf(curve, columns, palette).map(({ name, values, ...line }) => (
        <span key={name}>
          <LineMark line={line} /> {name}{' '}
          <Box component="b" sx={{ color: 'text.primary', fontWeight: 600 }}>
            {written(values[at])}
          </Box>
        </span>
      ))}
    </Box>
  );
}

function CurveTable({ curve }: { curve: CurveName }) {
  const { series } = useSession();
  const palette = useMapPalette();
  useSeriesVersion();
  const { columns } = series;
  const rows = sampled(columns.moment.length, TABLE_ROWS);
  return (
    <ValueTable
      label={texts.curve.caption}
      columns={[
        { name: texts.curve.day, cells: rows.map((row) => columns.moment[row]) },
        { name: texts.curve.at, cells: rows.map((row) => formatClock(columns.time_ms[row] ?? 0)) },
        ...linesOf(curve, columns, palette).map(({ name, values }) => ({
          name,
          cells: rows.map((row) => written(values[row])),
        })),
      ]}
    />
  );
}
