import { keyframes } from '@emotion/react';
import Box from '@mui/material/Box';
import { formatBytes, formatCount, formatDuration, formatRate } from '../../ui/format';
import { operatorTexts as texts } from '../../ui/texts-operator';
import type { Way } from './arrange';

const run = keyframes({ to: { strokeDashoffset: -24 } });
/** A faster flow moves faster, but never faster than the eye. */
const RUN_S_MAX = 4;
const RUN_S_MIN = 0.5;
/** An age above this is worth a colour beside its words. */
const OLD_MS = 5000;

/** What goes from one station to the next: an arrow that moves while something does, and the numbers in words. */
export function WayArrow({ way, vertical }: { way: Way; vertical: boolean }) {
  const { from, to, recordsPerS, bytesPerS, lagRecords, newestAgeMs } = way;
  const flows = (recordsPerS ?? 0) > 0;
  const rate = recordsPerS !== undefined && texts.flow.rate(formatRate(recordsPerS));
  const bytes = bytesPerS !== undefined && texts.flow.rate(formatBytes(bytesPerS));
  const lag = lagRecords !== undefined && texts.flow.lag(formatCount(lagRecords));
  const age = newestAgeMs !== undefined && formatAge(newestAgeMs);
  const facts = [rate, bytes, lag, age !== false && texts.flow.age(age)].filter((fact) => fact !== false);
  const said = [rate, bytes, lag, age !== false && texts.flow.ageLabel(age)].filter((fact) => fact !== false);
  const isLate = (lagRecords ?? 0) > Math.max(50, 5 * (recordsPerS ?? 0)) || (newestAgeMs ?? 0) > OLD_MS;
  const seconds = Math.min(RUN_S_MAX, Math.max(RUN_S_MIN, 6 / Math.log10(10 + (recordsPerS ?? 0)) ** 2));
  return (
    <Box
      role="img"
      aria-label={texts.flow.label(
        texts.kinds[from],
        texts.kinds[to],
        said.length === 0 ? texts.flow.nothing : said.join(', '),
      )}
      data-way={`${from} ${to}`}
      sx={{
        display: 'flex',
        flexDirection: vertical ? 'row' : 'column',
        alignItems: 'center',
        justifyContent: vertical ? 'flex-start' : 'center',
        gap: vertical ? 1.5 : 0.5,
        pl: vertical ? 3 : 0,
        minWidth: vertical ? 0 : 96,
      }}
    >
      <Box
        component="svg"
        viewBox={vertical ? '0 0 12 44' : '0 0 96 12'}
        aria-hidden="true"
        sx={{ width: vertical ? 12 : '100%', height: vertical ? 44 : 12, display: 'block', flexShrink: 0 }}
      >
        <g transform={vertical ? 'rotate(90 6 6)' : undefined}>
          <Box
            component="path"
            d={vertical ? 'M1 6H36' : 'M1 6H88'}
            sx={{
              fill: 'none',
              stroke: 'currentColor',
              strokeWidth: 2.2,
              strokeLinecap: 'round',
              strokeDasharray: flows ? '1 7' : '6 4',
              opacity: flows ? 1 : 0.35,
              color: isLate ? 'warning.main' : 'primary.main',
              animation: flows ? `${run} ${seconds.toFixed(2)}s linear infinite` : 'none',
            }}
          />
          <Box
            component="path"
            d={vertical ? 'M35 2 43 6l-8 4Z' : 'M87 2 95 6l-8 4Z'}
            sx={{
              fill: 'currentColor',
              color: isLate ? 'warning.main' : 'primary.main',
              opacity: flows ? 1 : 0.45,
            }}
          />
        </g>
      </Box>
      <Box
        aria-hidden="true"
        sx={{
          fontSize: '0.75rem',
          lineHeight: 1.4,
          textAlign: vertical ? 'left' : 'center',
          color: 'text.secondary',
          minHeight: vertical ? 0 : '4.2em',
          '& > :first-of-type': { color: 'text.primary', fontWeight: 600 },
          display: vertical ? 'flex' : 'block',
          columnGap: 1.5,
          flexWrap: 'wrap',
        }}
      >
        {facts.map((fact) => (
          <Box key={fact} sx={{ whiteSpace: 'nowrap' }}>
            {fact}
          </Box>
        ))}
      </Box>
    </Box>
  );
}

const formatAge = (ms: number): string => (ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : formatDuration(ms));
