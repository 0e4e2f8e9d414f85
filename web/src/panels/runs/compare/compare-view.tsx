import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import ToggleButton from '@mui/material/ToggleButton';
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup';
import Typography from '@mui/material/Typography';
import { useQueries, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { fetchStatistics, type Run, type Statistics } from '../../../api/client';
import { runsQuery } from '../../../api/queries';
import { useChoices } from '../../../ui/choices';
import { Icon } from '../../../ui/icons';
import { runTexts } from '../../../ui/texts-runs';
import { useScheme } from '../../../ui/use-map-palette';
import type { Line } from '../../chart/plot';
import { align, FIGURES, type FigureName } from './align';
import { CompareChart } from './compare-chart';
import { CompareLegend } from './compare-legend';
import { styleOfRun } from './styles';

const texts = runTexts.comparing;
const POINTS = 1500;
const POLL_MS = 5000;

/** The runs that were ticked, in one chart over the time since each began. */
export function CompareView({ onChoose }: { onChoose(run: string): void }) {
  const { compared, set } = useChoices();
  const { data: runs } = useQuery(runsQuery);
  const [figure, setFigure] = useState<FigureName>('zombies');
  const [share, setShare] = useState(false);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const scheme = useScheme();
  const chosen = useMemo(
    () =>
      compared.map((id) => runs?.find((run) => run.id === id)).filter((run): run is Run => run !== undefined),
    [compared, runs],
  );
  const curves = useQueries({
    queries: chosen.map(({ id }) => ({
      queryKey: ['statistics', id],
      queryFn: () => fetchStatistics(id, POINTS),
      refetchInterval: POLL_MS,
    })),
    combine: (results) => results.map(({ data }) => data),
  });
  const loaded = curves.length > 0 && curves.every((curve) => curve !== undefined);
  const aligned = useMemo(
    () =>
      align(
        curves.filter((curve): curve is Statistics => curve !== undefined),
        figure,
        share,
        chosen.map((run) => (run.forked_from === undefined ? undefined : run.started_ms)),
      ),
    [curves, figure, share, chosen],
  );
  const lines = chosen.map(
    (run, index): Line => ({
      name: run.name,
      ...styleOfRun(index, scheme),
      filled: false,
      values: aligned.values[index] ?? [],
    }),
  );
  const toggle = (id: string) => {
    const next = new Set(hidden);
    if (!next.delete(id)) next.add(id);
    setHidden(next);
  };
  return (
    <>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 1.5, flexWrap: 'wrap', mb: 2 }}>
        <Button
          color="inherit"
          onClick={() => set({ comparing: false })}
          startIcon={<Icon name="left" />}
          sx={{ color: 'text.secondary', ml: -1 }}
        >
          {texts.back}
        </Button>
        <Typography variant="h2" sx={{ fontSize: '1.35rem', letterSpacing: '-0.01em', mr: 'auto' }}>
          {texts.heading}
        </Typography>
        <FigureChoice figure={figure} onChange={setFigure} />
        <ScaleChoice share={share} onChange={setShare} />
      </Box>
      <Box
        sx={{
          bgcolor: 'background.paper',
          border: 1,
          borderColor: 'divider',
          borderRadius: 1,
          p: { xs: 1.25, sm: 2 },
        }}
      >
        {chosen.length < 2 && runs !== undefined && (
          <Typography role="status" sx={{ py: 6, textAlign: 'center' }}>
            {texts.tooFew}
          </Typography>
        )}
        {chosen.length >= 2 && !loaded && (
          <Typography role="status" sx={{ py: 6, textAlign: 'center', color: 'text.secondary' }}>
            {texts.loading}
          </Typography>
        )}
        {chosen.length >= 2 && loaded && (
          <>
            <CompareChart
              name={texts.figures[figure]}
              seconds={aligned.seconds}
              lines={lines.filter((_, index) => !hidden.has(chosen[index]?.id ?? ''))}
              digits={share ? 1 : 0}
              unit={share ? ' %' : ''}
            />
            <CompareLegend
              runs={chosen}
              lines={lines}
              aligned={aligned}
              hidden={hidden}
              share={share}
              onToggle={toggle}
              onOpen={onChoose}
              onRemove={(id) => set({ compared: compared.filter((other) => other !== id) })}
            />
          </>
        )}
      </Box>
    </>
  );
}

function FigureChoice({ figure, onChange }: { figure: FigureName; onChange(figure: FigureName): void }) {
  return (
    <TextField
      select
      size="small"
      label={texts.figure}
      value={figure}
      onChange={(event) => onChange(event.target.value as FigureName)}
      sx={{ minWidth: 210 }}
    >
      {FIGURES.map((name) => (
        <MenuItem key={name} value={name} dense>
          {texts.figures[name]}
        </MenuItem>
      ))}
    </TextField>
  );
}

function ScaleChoice({ share, onChange }: { share: boolean; onChange(share: boolean): void }) {
  return (
    <ToggleButtonGroup
      exclusive
      size="small"
      value={share}
      onChange={(_, value: boolean | null) => value !== null && onChange(value)}
      aria-label={texts.scale}
      sx={{ '& .MuiToggleButton-root': { px: 1.5, py: 0.9, textTransform: 'none', lineHeight: 1.2 } }}
    >
      <ToggleButton value={false}>{texts.number}</ToggleButton>
      <ToggleButton value={true}>{texts.share}</ToggleButton>
    </ToggleButtonGroup>
  );
}
