import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { formatElapsed } from '../../../ui/format';
import { runTexts } from '../../../ui/texts-runs';
import { LineChart, useChartSource } from '../../chart/line-chart';
import type { Line } from '../../chart/plot';
import { LineMark, ValueTable, written } from '../../chart/readings';
import { sampled } from '../../curve/lines';

const texts = runTexts.comparing;
const HEIGHT = 340;
const TABLE_ROWS = 40;

interface CompareChartProps {
  /** What is compared. */
  name: string;
  seconds: number[];
  lines: Line[];
  digits: number;
  unit: string;
}

/** One line for each run, what each is worth under the cursor, and the same as a table. */
export function CompareChart({ name, seconds, lines, digits, unit }: CompareChartProps) {
  const [row, setRow] = useState<number>();
  const [asTable, setAsTable] = useState(false);
  const shape = lines.map(({ name: run, colour }) => `${run} ${colour}`).join();
  const source = useChartSource(shape, seconds, lines);
  const value = ({ values }: Line, at: number) => {
    const text = written(values[at], digits);
    return text === '–' ? text : text + unit;
  };
  const rowText = (at: number | undefined) =>
    at === undefined
      ? texts.noRow
      : texts.row(
          formatElapsed(seconds[at] ?? 0),
          lines.map((line) => `${line.name} ${value(line, at)}`).join(', '),
        );
  const rows = sampled(seconds.length, TABLE_ROWS);
  return (
    <>
      <LineChart
        source={source}
        height={HEIGHT}
        label={texts.label(name)}
        keys={texts.keys}
        rowText={rowText}
        onRow={setRow}
        formatX={formatElapsed}
        least={unit === '' ? 4 : 1}
      />
      <Box
        sx={{ display: 'flex', flexWrap: 'wrap', columnGap: 2, minHeight: 22, fontSize: '0.78rem', pl: 5 }}
      >
        {row === undefined ? (
          <Typography variant="caption" sx={{ color: 'text.secondary' }}>
            {texts.axis}
          </Typography>
        ) : (
          <>
            <Box component="span" sx={{ color: 'text.secondary' }}>
              {formatElapsed(seconds[row] ?? 0)}
            </Box>
            {lines.map((line) => (
              <span key={line.colour}>
                <LineMark line={line} /> {line.name} <b>{value(line, row)}</b>
              </span>
            ))}
          </>
        )}
      </Box>
      <Button
        size="small"
        color="inherit"
        onClick={() => setAsTable(!asTable)}
        aria-expanded={asTable}
        sx={{ mt: 0.5, color: 'text.secondary' }}
      >
        {asTable ? texts.noTable : texts.table}
      </Button>
      {asTable && (
        <ValueTable
          label={texts.label(name)}
          maxHeight={320}
          columns={[
            { name: texts.time, cells: rows.map((at) => formatElapsed(seconds[at] ?? 0)) },
            ...lines.map((line, index) => ({
              name: lines.some((other, i) => i < index && other.name === line.name)
                ? `${line.name} (${index + 1})`
                : line.name,
              cells: rows.map((at) => value(line, at)),
            })),
          ]}
        />
      )}
    </>
  );
}
