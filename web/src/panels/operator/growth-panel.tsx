import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import ToggleButton from '@mui/material/ToggleButton';
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup';
import { useMemo, useState } from 'react';
import { formatClock } from '../../ui/format';
import { Panel } from '../../ui/panel';
import { operatorTexts } from '../../ui/texts-operator';
import { useScheme } from '../../ui/use-map-palette';
import { LineChart, useChartSource } from '../chart/line-chart';
import { ValueTable, written } from '../chart/readings';
import { sampled } from '../curve/lines';
import { useHistory } from './history';

const texts = operatorTexts.growth;
const FIGURES = ['lag', 'rate', 'age'] as const;
type Figure = (typeof FIGURES)[number];
const HEIGHT = 190;
const TABLE_ROWS = 40;
const COLOURS = { light: '#1b5cc4', dark: '#7fb0ff' };
const clock = (seconds: number) => formatClock(seconds * 1000);

/** Lag, rate or age over the last minutes: it grows when a part is away and drains when it is back. */
export function GrowthPanel() {
  const samples = useHistory((history) => history.samples);
  const [figure, setFigure] = useState<Figure>('lag');
  const [row, setRow] = useState<number>();
  const [asTable, setAsTable] = useState(false);
  const colour = COLOURS[useScheme()];
  const seconds = useMemo(() => samples.map(({ atMs }) => atMs / 1000), [samples]);
  const values = useMemo(() => samples.map((sample) => sample[figure]), [samples, figure]);
  const lines = useMemo(
    () => [{ name: texts[figure], colour, values, filled: true }],
    [figure, colour, values],
  );
  const source = useChartSource(figure, seconds, lines);
  const digits = figure === 'lag' ? 0 : 1;
  const say = (at: number) => `${written(values[at], digits)} ${texts.units[figure]}`;
  const most = Math.max(0, ...values.filter((value): value is number => value !== null));
  const rows = sampled(samples.length, TABLE_ROWS);
  return (
    <Panel heading={texts.heading} aside={<Choice figure={figure} onChange={setFigure} />}>
      <LineChart
        source={source}
        height={HEIGHT}
        label={texts.label(texts[figure])}
        keys={texts.keys}
        rowText={(at) => (at === undefined ? texts.noRow : texts.row(clock(seconds[at] ?? 0), say(at)))}
        onRow={setRow}
        formatX={clock}
      />
      <Box
        data-testid="growth"
        data-now={values.at(-1) ?? ''}
        sx={{
          display: 'flex',
          gap: 2,
          fontSize: '0.8rem',
          color: 'text.secondary',
          '& b': { color: 'text.primary' },
        }}
      >
        {row !== undefined && row < samples.length ? (
          <span>
            {clock(seconds[row] ?? 0)} <b>{say(row)}</b>
          </span>
        ) : (
          <>
            <span>
              {texts.now} <b>{samples.length === 0 ? '–' : say(samples.length - 1)}</b>
            </span>
            <span>
              {texts.most} <b>{written(most, digits)}</b>
            </span>
          </>
        )}
      </Box>
      <Button
        size="small"
        color="inherit"
        onClick={() => setAsTable(!asTable)}
        aria-expanded={asTable}
        sx={{ mt: 0.5, ml: -0.75, color: 'text.secondary' }}
      >
        {asTable ? texts.noTable : texts.table}
      </Button>
      {asTable && (
        <ValueTable
          label={texts.label(texts[figure])}
          columns={[
            { name: texts.time, cells: rows.map((at) => clock(seconds[at] ?? 0)) },
            { name: texts[figure], cells: rows.map((at) => written(values[at], digits)) },
          ]}
        />
      )}
    </Panel>
  );
}

function Choice({ figure, onChange }: { figure: Figure; onChange(figure: Figure): void }) {
  return (
    <ToggleButtonGroup
      exclusive
      size="small"
      value={figure}
      onChange={(_, value: Figure | null) => value !== null && onChange(value)}
      aria-label={texts.which}
      sx={{ '& .MuiToggleButton-root': { py: 0.1, px: 0.9, fontSize: '0.72rem', textTransform: 'none' } }}
    >
      {FIGURES.map((name) => (
        <ToggleButton key={name} value={name}>
          {texts.figures[name]}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}
