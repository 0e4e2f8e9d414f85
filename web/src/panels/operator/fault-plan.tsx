import Box from '@mui/material/Box';
import type { Fault } from '../../api/operator';
import { formatDuration } from '../../ui/format';
import { operatorTexts } from '../../ui/texts-operator';

const texts = operatorTexts.chaos;
const WIDTH = 600;
const ROW_PX = 22;
const NAME_PX = 112;
const AXIS_PX = 16;

interface FaultPlanProps {
  faults: readonly Fault[];
  /** How far the chaos is. */
  elapsedMs: number;
}

/** When which part was at fault: a row for each part, a bar for each fault; and the same as a list. */
export function FaultPlan({ faults, elapsedMs }: FaultPlanProps) {
  const parts = [...new Set(faults.map(({ part }) => part))].sort();
  const length = Math.max(1, elapsedMs, ...faults.map(({ at_ms, until_ms }) => until_ms ?? at_ms));
  const x = (ms: number) => NAME_PX + (Math.min(ms, length) / length) * (WIDTH - NAME_PX - 6);
  const height = parts.length * ROW_PX;
  return (
    <>
      <Box
        component="svg"
        role="img"
        aria-label={texts.plan}
        viewBox={`0 0 ${WIDTH} ${height + AXIS_PX}`}
        sx={{ width: '100%', display: 'block', my: 1, fontSize: 12, color: 'text.secondary' }}
      >
        {parts.map((part, row) => (
          <g key={part} transform={`translate(0 ${row * ROW_PX})`}>
            <text x="0" y={ROW_PX / 2 + 4} fill="currentColor">
              {part || texts.allParts}
            </text>
            <line
              x1={NAME_PX}
              x2={WIDTH - 6}
              y1={ROW_PX / 2}
              y2={ROW_PX / 2}
              stroke="currentColor"
              opacity="0.3"
            />
          </g>
        ))}
        {faults.map(({ at_ms, until_ms, kind, part }) => (
          <Box
            component="rect"
            key={`${at_ms} ${kind} ${part}`}
            x={x(at_ms)}
            y={parts.indexOf(part) * ROW_PX + 5}
            width={Math.max(5, x(until_ms ?? elapsedMs) - x(at_ms))}
            height={ROW_PX - 10}
            rx="2"
            sx={{ fill: 'currentColor', color: 'error.main' }}
          >
            <title>{texts.fault(kind, part || texts.allParts)}</title>
          </Box>
        ))}
        <line
          x1={x(elapsedMs)}
          x2={x(elapsedMs)}
          y1="0"
          y2={height}
          stroke="currentColor"
          strokeWidth="1.500"
          strokeDasharray="3 3"
        />
        <text x={NAME_PX} y={height + 13} fill="currentColor">
          0
        </text>
        <text x={WIDTH - 6} y={height + 13} textAnchor="end" fill="currentColor">
          {formatDuration(length)}
        </text>
      </Box>
      <Box
        component="ol"
        tabIndex={0}
        aria-label={texts.faults}
        sx={{ listStyle: 'none', m: 0, p: 0, maxHeight: 132, overflowY: 'auto', fontSize: '0.8rem' }}
      >
        {faults.toReversed().map(({ at_ms, until_ms, kind, part }) => (
          <Box component="li" key={`${at_ms} ${kind} ${part}`} sx={{ display: 'flex', gap: 1.5, py: 0.2 }}>
            <Box component="span" sx={{ color: 'text.secondary', minWidth: 64 }}>
              {formatDuration(at_ms)}
            </Box>
            <span>{texts.fault(kind, part || texts.allParts)}</span>
            <Box component="span" sx={{ color: 'text.secondary', ml: 'auto' }}>
              {until_ms == null ? '' : texts.for(formatDuration(until_ms - at_ms))}
            </Box>
          </Box>
        ))}
      </Box>
    </>
  );
}
