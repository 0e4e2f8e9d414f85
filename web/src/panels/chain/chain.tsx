import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { chainQuery } from '../../api/queries';
import { useChoices } from '../../ui/choices';
import { formatClock, formatCount, shortId } from '../../ui/format';
import { useSession, useSessionState } from '../../ui/session-context';
import { texts } from '../../ui/texts';
import { useMapPalette } from '../../ui/use-map-palette';
import { PersonLink, TimeLink } from '../person/links';
import { type Case, chainFrom, type Row, rowsOf } from './tree';

const ROW_PX = 16;
const WIDTH = 300;
/** Room at the right for the last names. */
const NAME_PX = 58;
const EDGE_PX = 8;
const AXIS_PX = 18;

/** The transmission tree from somebody on: time to the right, a row for each branch; and the same as a list. */
export default function Chain({ id }: { id: string }) {
  const { runId } = useSession();
  const infections = useSessionState((state) => state.run?.infections ?? 0);
  const { data } = useQuery(chainQuery(runId, id, infections));
  const top = useMemo(() => data && chainFrom(id, data), [id, data]);
  if (top === undefined) return <Typography variant="body2">{texts.person.loading}</Typography>;
  if (top.children.length === 0)
    return <Typography variant="body2">{texts.person.infectedNobody}</Typography>;
  return (
    <>
      <Drawing top={top} />
      <Box component="details" sx={{ mt: 1, fontSize: '0.84rem' }}>
        <summary>{texts.chain.list}</summary>
        <Branch cases={[top]} />
      </Box>
    </>
  );
}

function Drawing({ top }: { top: Case }) {
  const select = useChoices((choices) => choices.select);
  const palette = useMapPalette();
  const rows = useMemo(() => rowsOf(top), [top]);
  const times = rows.map(({ of }) => of.timeMs);
  const from = Math.min(...times);
  const to = Math.max(...times);
  const x = ({ of }: Row) =>
    EDGE_PX + ((of.timeMs - from) / Math.max(1, to - from)) * (WIDTH - NAME_PX - EDGE_PX);
  const y = ({ row }: Row) => (row + 0.5) * ROW_PX;
  const height = rows.length * ROW_PX;
  return (
    <Box
      component="svg"
      role="img"
      aria-label={texts.chain.label(formatCount(rows.length - 1), shortId(top.id))}
      viewBox={`0 0 ${WIDTH} ${height + AXIS_PX}`}
      sx={{ width: '100%', display: 'block', fontSize: 10, fontFamily: 'monospace' }}
    >
      {rows.map((row) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: the list below does the same by keyboard.
        <g
          key={`${row.of.id} ${row.of.timeMs}`}
          onClick={() => select(row.of.id)}
          style={{ cursor: 'pointer' }}
        >
          <title>{`${row.of.id}, ${formatClock(row.of.timeMs)}`}</title>
          {row.parent !== undefined && (
            <path
              d={`M${x(row.parent)},${y(row.parent) + 4}V${y(row)}H${x(row) - 4}`}
              fill="none"
              stroke="currentColor"
              opacity={0.35}
            />
          )}
          <circle cx={x(row)} cy={y(row)} r={3.5} fill={palette.people.infected} />
          <text x={x(row) + 7} y={y(row) + 3} fill="currentColor">
            {shortId(row.of.id)}
            {row.of.hidden > 0 && ` ${texts.chain.more(formatCount(row.of.hidden))}`}
          </text>
        </g>
      ))}
      <text x={EDGE_PX - 4} y={height + 12} fill="currentColor" opacity={0.8}>
        {formatClock(from)}
      </text>
      <text x={WIDTH - NAME_PX} y={height + 12} textAnchor="middle" fill="currentColor" opacity={0.8}>
        {formatClock(to)}
      </text>
    </Box>
  );
}

function Branch({ cases }: { cases: Case[] }) {
  return (
    <Box component="ul" sx={{ m: 0, pl: 2, lineHeight: '26px' }}>
      {cases.map(({ id, timeMs, children, hidden }) => (
        <li key={`${id} ${timeMs}`}>
          <PersonLink id={id} /> <TimeLink ms={timeMs} />{' '}
          {hidden > 0 && texts.chain.more(formatCount(hidden))}
          {children.length > 0 && <Branch cases={children} />}
        </li>
      ))}
    </Box>
  );
}
