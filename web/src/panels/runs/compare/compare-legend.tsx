import Box from '@mui/material/Box';
import Checkbox from '@mui/material/Checkbox';
import IconButton from '@mui/material/IconButton';
import Link from '@mui/material/Link';
import type { Run } from '../../../api/client';
import { formatCount, formatDate, formatDuration, formatElapsed } from '../../../ui/format';
import { Icon } from '../../../ui/icons';
import { hiddenText } from '../../../ui/panel';
import { runTexts } from '../../../ui/texts-runs';
import type { Line } from '../../chart/plot';
import { LineMark, written } from '../../chart/readings';
import { lengthOf } from '../run-facts';
import { type Aligned, lastOf, peakOf } from './align';

const texts = runTexts.comparing;

interface CompareLegendProps {
  runs: readonly Run[];
  lines: readonly Line[];
  aligned: Aligned;
  hidden: ReadonlySet<string>;
  share: boolean;
  onToggle(run: string): void;
  onOpen(run: string): void;
  onRemove(run: string): void;
}

/** Which line is which run, with its peak and its end; a tick hides or shows the line. */
export function CompareLegend(props: CompareLegendProps) {
  const { runs, lines, aligned, hidden, share } = props;
  const value = (number: number | undefined) => {
    const text = written(number, share ? 1 : 0);
    return share && text !== '–' ? `${text} %` : text;
  };
  return (
    <Box
      sx={{ position: 'relative', overflowX: 'auto', mt: 1 }}
      tabIndex={0}
      role="region"
      aria-label={texts.legend}
    >
      <Box component="table" aria-label={texts.legend} sx={style}>
        <thead>
          <tr>
            <th scope="col">{runTexts.columns.name}</th>
            <th scope="col">{runTexts.columns.when}</th>
            <th scope="col" className="number">
              {runTexts.columns.people}
            </th>
            <th scope="col" className="number">
              {texts.length}
            </th>
            <th scope="col" className="number">
              {texts.peak}
            </th>
            <th scope="col" className="number">
              {texts.last}
            </th>
            <th scope="col">
              <Box component="span" sx={hiddenText}>
                {texts.removeHead}
              </Box>
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run, index) => {
            const line = lines[index] as Line;
            const peak = peakOf(aligned, index);
            return (
              <tr key={run.id}>
                <td>
                  <Box sx={{ display: 'flex', alignItems: 'center', gap: 1 }}>
                    <Checkbox
                      size="small"
                      checked={!hidden.has(run.id)}
                      onChange={() => props.onToggle(run.id)}
                      slotProps={{ input: { 'aria-label': texts.show(run.name) } }}
                      sx={{ p: 0.5, ml: -0.5 }}
                    />
                    <LineMark line={line} />
                    <Link
                      component="button"
                      color="inherit"
                      underline="hover"
                      aria-label={runTexts.open(run.name)}
                      onClick={() => props.onOpen(run.id)}
                      sx={{ font: 'inherit', fontWeight: 600, minHeight: 24 }}
                    >
                      {run.name}
                    </Link>
                  </Box>
                </td>
                <td>{formatDate(run.started_ms)}</td>
                <td className="number">{formatCount(run.nodes)}</td>
                <td className="number">{formatDuration(lengthOf(run))}</td>
                <td className="number">
                  {peak === undefined ? '–' : texts.peakAt(value(peak.value), formatElapsed(peak.second))}
                </td>
                <td className="number">{value(lastOf(aligned, index))}</td>
                <td className="number">
                  <IconButton
                    size="small"
                    aria-label={texts.remove(run.name)}
                    onClick={() => props.onRemove(run.id)}
                  >
                    <Icon name="close" />
                  </IconButton>
                </td>
              </tr>
            );
          })}
        </tbody>
      </Box>
    </Box>
  );
}

const style = {
  width: '100%',
  minWidth: { xs: 400, sm: 560 },
  '& :is(th, td):is(:nth-of-type(2), :nth-of-type(3))': { display: { xs: 'none', sm: 'table-cell' } },
  borderCollapse: 'collapse',
  fontSize: '0.84rem',
  '& th': {
    textAlign: 'left',
    fontWeight: 500,
    fontSize: '0.75rem',
    color: 'text.secondary',
    px: 1,
    py: 0.75,
  },
  '& td': { px: 1, py: 0.25, borderTop: 1, borderColor: 'divider', whiteSpace: 'nowrap' },
  '& .number': { textAlign: 'right' },
} as const;
