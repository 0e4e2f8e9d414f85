import Box from '@mui/material/Box';
import { useMemo } from 'react';
import { lowerBound, type Series } from '../live/series';
import { formatRate, formatShort } from '../ui/format';
import { useSeriesVersion, useSession, useSessionState } from '../ui/session-context';
import { texts } from '../ui/texts';
import { perMinute } from './curve/lines';

const NAMES = ['share', 'infections', 'contacts', 'immune', 'incidence', 'meetings'] as const;

/** Beyond the paper's four: what has come about by the moment on show, and how fast it goes on. */
export function MoreFigures() {
  const { series } = useSession();
  const version = useSeriesVersion();
  const moment = useSessionState((state) => state.moment);
  const figures = useSessionState((state) => state.figures);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `version` says that the series, which is not React's, has changed.
  const rates = useMemo(() => ratesOf(series), [series, version]);
  const alive = figures && figures.total - figures.deaths;
  const values: Record<(typeof NAMES)[number], string | undefined> = {
    share: figures && alive !== undefined ? percent(figures.zombies, alive) : undefined,
    immune: figures && formatShort(figures.immune),
    infections: written(latestBy(series, series.columns.infections, moment), formatShort),
    contacts: written(latestBy(series, series.columns.contacts, moment), formatShort),
    incidence: written(latestBy(series, rates.incidence, moment), formatQuick),
    meetings: written(latestBy(series, rates.meetings, moment), formatQuick),
  };
  return (
    <Box
      component="dl"
      aria-label={texts.moreFigures.heading}
      sx={{
        m: 0,
        display: 'grid',
        gridTemplateColumns: 'repeat(3, minmax(0, 1fr))',
        gap: '1px',
        bgcolor: 'divider',
        border: 1,
        borderColor: 'divider',
        borderRadius: 1,
        overflow: 'hidden',
      }}
    >
      {NAMES.map((name) => (
        <Box
          key={name}
          title={texts.moreFigures.note[name]}
          sx={{ bgcolor: 'background.paper', px: 1.25, py: 0.6, minWidth: 0 }}
        >
          <Box component="dt" sx={{ fontSize: '0.7rem', color: 'text.secondary', lineHeight: 1.3 }}>
            {texts.moreFigures[name]}
          </Box>
          <Box
            component="dd"
            data-figure={name}
            sx={{ m: 0, fontSize: '0.9rem', fontWeight: 600, lineHeight: 1.3 }}
          >
            {values[name] ?? '–'}
          </Box>
        </Box>
      ))}
    </Box>
  );
}

const ratesOf = ({ columns }: Series) => ({
  incidence: perMinute(columns.time_ms, columns.infections),
  meetings: perMinute(columns.time_ms, columns.contacts),
});

/** Fast ones are short, too. */
const formatQuick = (rate: number) => (rate < 1000 ? formatRate(rate) : formatShort(Math.round(rate)));

const written = (value: number | undefined, format: (value: number) => string): string | undefined =>
  value === undefined ? undefined : format(value);

/** A share in percent: '0 %', '0.4 %', '12 %'. */
export function percent(part: number, whole: number): string {
  if (whole <= 0 || part <= 0) return '0 %';
  const share = (100 * part) / whole;
  return `${share < 0.1 ? '< 0.1' : share < 10 ? share.toFixed(1) : Math.round(share)} %`;
}

/** The value known last at a moment: what frames bring along has neither contacts nor infections. */
export function latestBy(
  { columns }: Series,
  values: readonly (number | null)[],
  moment: number,
): number | undefined {
  const after = lowerBound(columns.moment, moment + 1);
  for (let row = after - 1; row >= 0; row -= 1) {
    const value = values[row];
    if (value != null && Number.isFinite(value)) return value;
  }
  return undefined;
}
