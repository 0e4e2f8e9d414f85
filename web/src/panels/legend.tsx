import Box from '@mui/material/Box';
import ButtonBase from '@mui/material/ButtonBase';
import Divider from '@mui/material/Divider';
import FormControlLabel from '@mui/material/FormControlLabel';
import Switch from '@mui/material/Switch';
import Typography from '@mui/material/Typography';
import { useId } from 'react';
import type { Figures } from '../live/frame';
import { useChoices } from '../ui/choices';
import { formatCount, formatShort } from '../ui/format';
import type { Category } from '../ui/palette';
import { Panel } from '../ui/panel';
import { useSessionState } from '../ui/session-context';
import { texts } from '../ui/texts';
import { CategoryMark } from './category-mark';

const ROWS: readonly Category[] = ['safe', 'immune', 'infected', 'dead'];

/** Always on; each row hides or shows its people on the map. */
export function Legend() {
  const figures = useSessionState((state) => state.figures);
  const { realism, shapes, drawing, set } = useChoices();
  const isCrowd = realism && drawing !== 'icons';
  return (
    <Panel heading={texts.legend.heading} aside={<RingSample />}>
      <Box
        component="ul"
        sx={{
          listStyle: 'none',
          m: 0,
          p: 0,
          mx: -0.75,
          display: 'grid',
          gridTemplateColumns: '1fr 1fr',
          columnGap: 0.5,
        }}
      >
        {ROWS.map((category) => (
          <Row key={category} category={category} count={figures && countOf(category, figures)} />
        ))}
      </Box>
      <Divider sx={{ my: 0.5 }} />
      <Box sx={{ display: 'flex', flexWrap: 'wrap', columnGap: 2 }}>
        <Toggle
          label={texts.legend.realism}
          hint={texts.legend.realismHint}
          on={realism}
          onChange={(on) => set({ realism: on })}
          note={isCrowd ? texts.legend.realismCrowd : undefined}
        />
        <Toggle
          label={texts.legend.shapes}
          hint={texts.legend.shapesHint}
          on={shapes}
          onChange={(on) => set({ shapes: on })}
        />
      </Box>
    </Panel>
  );
}

function countOf(category: Category, { total, zombies, deaths, immune }: Figures): number {
  if (category === 'infected') return zombies;
  if (category === 'dead') return deaths;
  if (category === 'immune') return immune;
  return Math.max(0, total - zombies - deaths - immune);
}

function Row({ category, count }: { category: Category; count: number | undefined }) {
  const shown = useChoices((choices) => choices.shown.has(category));
  const toggle = useChoices((choices) => choices.toggleShown);
  const written = count === undefined ? '–' : formatShort(count);
  return (
    <Box component="li">
      <ButtonBase
        aria-pressed={shown}
        onClick={() => toggle(category)}
        sx={{
          width: '100%',
          justifyContent: 'flex-start',
          gap: 1,
          px: 0.75,
          py: 0.6,
          borderRadius: 1,
          font: 'inherit',
          fontSize: '0.84rem',
          color: shown ? 'text.primary' : 'text.secondary',
          textDecoration: shown ? 'none' : 'line-through',
          '&:hover': { bgcolor: 'action.hover' },
          '&:focus-visible': { outline: '2px solid', outlineColor: 'primary.main' },
        }}
      >
        <CategoryMark category={category} faint={!shown} />
        <span>{texts.legend[category]}</span>
        <Box
          component="span"
          title={count === undefined ? undefined : formatCount(count)}
          sx={{ ml: 'auto', color: 'text.secondary' }}
        >
          {written}
        </Box>
      </ButtonBase>
    </Box>
  );
}

function Toggle({
  label,
  hint,
  on,
  onChange,
  note,
}: {
  label: string;
  hint: string;
  on: boolean;
  onChange(on: boolean): void;
  /** Why it does not do now what it says. */
  note?: string | undefined;
}) {
  const id = useId();
  return (
    <Box>
      <FormControlLabel
        title={hint}
        control={
          <Switch
            size="small"
            checked={on}
            onChange={(_, checked) => onChange(checked)}
            slotProps={{ input: { 'aria-describedby': note === undefined ? undefined : id } }}
          />
        }
        label={label}
        slotProps={{ typography: { variant: 'body2' } }}
        sx={{ ml: -0.75, mr: 0 }}
      />
      {note !== undefined && (
        <Typography id={id} variant="caption" component="p" sx={{ m: 0, color: 'text.secondary' }}>
          {note}
        </Typography>
      )}
    </Box>
  );
}

function RingSample() {
  return (
    <Typography
      variant="caption"
      sx={{ display: 'flex', alignItems: 'center', gap: 0.75, color: 'text.secondary' }}
    >
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="7" fill="none" stroke="currentColor" strokeDasharray="3 2.500" />
      </svg>
      {texts.legend.ring}
    </Typography>
  );
}
