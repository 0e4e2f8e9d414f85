import Box from '@mui/material/Box';
import Checkbox from '@mui/material/Checkbox';
import Link from '@mui/material/Link';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';
import type { Run } from '../../api/client';
import { COMPARED_MAX, useChoices } from '../../ui/choices';
import { formatCount, formatDate, formatDuration, formatElapsed } from '../../ui/format';
import { runTexts } from '../../ui/texts-runs';
import { lengthOf, type RunState } from './run-facts';
import { type RunAct, RunMenu } from './run-menu';
import { RunStateMark } from './state-mark';

const { columns } = runTexts;

interface RunTableProps {
  runs: readonly Run[];
  /** The run on the map. */
  shown: string | undefined;
  stateOf(run: Run): RunState;
  onAct(run: Run, act: RunAct): void;
}

/** All runs; a table on wide screens, cards on narrow ones. */
export function RunTable({ runs, shown, stateOf, onAct }: RunTableProps) {
  return (
    <Box component="table" aria-label={runTexts.table} sx={tableStyle}>
      <thead>
        <tr>
          <th scope="col" className="tick">
            {columns.compare}
          </th>
          <th scope="col">{columns.name}</th>
          <th scope="col">{columns.state}</th>
          <th scope="col">{columns.kind}</th>
          <th scope="col" className="number">
            {columns.people}
          </th>
          <th scope="col" className="number">
            {columns.infections}
          </th>
          <th scope="col">{columns.when}</th>
          <th scope="col" className="number">
            {columns.length}
          </th>
          <th scope="col" className="more">
            {columns.acts}
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <Row
            key={run.id}
            run={run}
            state={stateOf(run)}
            isShown={run.id === shown}
            origin={originOf(run, runs)}
            onAct={(act) => onAct(run, act)}
          />
        ))}
      </tbody>
    </Box>
  );
}

/** Where a fork comes from, in words. */
function originOf({ forked_from: from }: Run, runs: readonly Run[]): string | undefined {
  if (from === undefined) return undefined;
  const of = runs.find(({ id }) => id === from.run)?.name ?? runTexts.gone;
  return runTexts.forkOf(of, formatElapsed(from.tick));
}

interface RowProps {
  run: Run;
  origin: string | undefined;
  state: RunState;
  isShown: boolean;
  onAct(act: RunAct): void;
}

function Row({ run, origin, state, isShown, onAct }: RowProps) {
  const { compared, set } = useChoices();
  const isCompared = compared.includes(run.id);
  const toggle = () =>
    set({ compared: isCompared ? compared.filter((id) => id !== run.id) : [...compared, run.id] });
  return (
    <tr data-run={run.id}>
      <td className="tick">
        <Checkbox
          size="small"
          checked={isCompared}
          disabled={!isCompared && compared.length >= COMPARED_MAX}
          onChange={toggle}
          slotProps={{ input: { 'aria-label': runTexts.choose(run.name) } }}
          sx={{ p: 0.75 }}
        />
      </td>
      <td className="name">
        <Link
          component="button"
          onClick={() => onAct('open')}
          aria-label={runTexts.open(run.name)}
          underline="hover"
          sx={{
            font: 'inherit',
            fontWeight: 600,
            minHeight: 24,
            textAlign: 'left',
            overflowWrap: 'anywhere',
          }}
        >
          {run.name}
        </Link>
        {isShown && (
          <Typography
            component="span"
            variant="caption"
            sx={{
              ml: 1,
              px: 0.75,
              py: 0.2,
              borderRadius: 4,
              border: 1,
              borderColor: 'divider',
              whiteSpace: 'nowrap',
            }}
          >
            {runTexts.onShow}
          </Typography>
        )}
        {origin !== undefined && (
          <Typography variant="caption" component="div" sx={{ color: 'text.secondary', lineHeight: 1.3 }}>
            {origin}
          </Typography>
        )}
      </td>
      <Cell name={columns.state}>
        <RunStateMark state={state} />
      </Cell>
      <Cell name={columns.kind}>{run.kind === 'fleet' ? runTexts.kinds.fleet : runTexts.kinds.nodes}</Cell>
      <Cell name={columns.people} number>
        {formatCount(run.nodes)}
      </Cell>
      <Cell name={columns.infections} number>
        {formatCount(run.infections)}
      </Cell>
      <Cell name={columns.when}>{formatDate(run.started_ms)}</Cell>
      <Cell name={columns.length} number>
        {formatDuration(lengthOf(run))}
      </Cell>
      <td className="more">
        <RunMenu run={run} state={state} onAct={onAct} />
      </td>
    </tr>
  );
}

/** On a narrow screen, where there is no heading row, the cell says itself what it is. */
function Cell({ name, number = false, children }: { name: string; number?: boolean; children: ReactNode }) {
  return (
    <td className={number ? 'number fact' : 'fact'} data-name={name}>
      {children}
    </td>
  );
}

const tableStyle = {
  width: '100%',
  borderCollapse: 'collapse',
  fontSize: '0.875rem',
  '& th': {
    textAlign: 'left',
    fontWeight: 500,
    fontSize: '0.75rem',
    color: 'text.secondary',
    px: 1.5,
    py: 1,
    whiteSpace: 'nowrap',
  },
  '& td': { px: 1.5, py: 0.5, borderTop: 1, borderColor: 'divider', height: 46 },
  '& tbody tr:hover': { bgcolor: 'action.hover' },
  '& .number': { textAlign: 'right' },
  '& .tick': { width: 76, textAlign: 'center', pr: 0.5 },
  '& .more': { width: 56, textAlign: 'right' },
  '& td:not(.name)': { whiteSpace: 'nowrap' },
  '@media (max-width: 899px)': {
    display: 'block',
    '& thead': { display: 'none' },
    '& tbody': { display: 'block' },
    '& tr': {
      display: 'grid',
      gridTemplateColumns: '40px 1fr 1fr 44px',
      columnGap: 1,
      alignItems: 'center',
      py: 1,
      borderTop: 1,
      borderColor: 'divider',
    },
    '& tbody tr:first-of-type': { borderTop: 0 },
    '& td': { border: 0, px: 0, py: 0, height: 'auto', minHeight: 24 },
    '& .name': { gridColumn: '2 / 4' },
    '& .more': { gridColumn: 4, gridRow: 1, width: 'auto' },
    '& .tick': { width: 'auto', p: 0 },
    '& .fact': { textAlign: 'left', fontSize: '0.8rem', py: 0.4 },
    '& .fact:nth-of-type(odd)': { gridColumn: 2 },
    '& .fact:nth-of-type(even)': { gridColumn: 3 },
    '& .fact::before': {
      content: 'attr(data-name)',
      display: 'block',
      fontSize: '0.7rem',
      color: 'text.secondary',
    },
  },
} as const;
