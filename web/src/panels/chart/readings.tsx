import Box from '@mui/material/Box';
import type { ReactNode } from 'react';
import { formatCount } from '../../ui/format';
import type { Line } from './plot';

/** The line as it is drawn: its colour and its dashes. */
export function LineMark({ line }: { line: Pick<Line, 'colour' | 'dash'> }) {
  return (
    <Box
      component="svg"
      viewBox="0 0 22 6"
      aria-hidden="true"
      sx={{ width: 22, height: 6, flexShrink: 0, verticalAlign: 'middle', overflow: 'visible' }}
    >
      <line
        x1="0"
        x2="22"
        y1="3"
        y2="3"
        stroke={line.colour}
        strokeWidth="2.500"
        strokeDasharray={line.dash?.join(' ')}
      />
    </Box>
  );
}

export const written = (value: number | null | undefined, digits = 0): string =>
  value == null || Number.isNaN(value) ? '–' : formatCount(Number(value.toFixed(digits)));

export interface TableColumn {
  name: string;
  cells: readonly ReactNode[];
}

/** A chart's values as a table that scrolls by itself. */
export function ValueTable({
  label,
  columns,
  maxHeight = 220,
}: {
  label: string;
  columns: TableColumn[];
  maxHeight?: number;
}) {
  const rows = columns[0]?.cells.length ?? 0;
  return (
    <Box
      tabIndex={0}
      role="region"
      aria-label={label}
      sx={{ position: 'relative', maxHeight, overflow: 'auto', '&:focus-visible': { outline: '2px solid' } }}
    >
      <Box
        component="table"
        sx={{
          width: '100%',
          fontSize: '0.78rem',
          borderCollapse: 'collapse',
          '& th': {
            textAlign: 'right',
            fontWeight: 500,
            color: 'text.secondary',
            pl: 1.5,
            position: 'sticky',
            top: 0,
            bgcolor: 'background.paper',
          },
          '& td': { textAlign: 'right', borderTop: 1, borderColor: 'divider', py: 0.25, pl: 1.5 },
        }}
      >
        <thead>
          <tr>
            {columns.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: rows }, (_, row) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a row is its number.
            <tr key={row}>
              {columns.map(({ name, cells }) => (
                <td key={name}>{cells[row]}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </Box>
    </Box>
  );
}
