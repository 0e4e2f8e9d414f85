import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { formatCount } from '../ui/format';
import { useSessionState } from '../ui/session-context';
import { texts } from '../ui/texts';

const FIGURES = [
  { name: 'total', colour: 'text.primary' },
  { name: 'zombies', colour: 'error.main' },
  { name: 'deaths', colour: 'text.primary' },
  { name: 'dead_zombies', colour: 'text.primary' },
] as const;

/** Four of them share the width of a phone, also when they are millions. */
function narrowSize(value = 0): string {
  return value < 100_000 ? '1.25rem' : value < 10_000_000 ? '0.95rem' : '0.85rem';
}

/** The paper's four figures of the moment on show. */
export function Figures() {
  const figures = useSessionState((state) => state.figures);
  return (
    <Box
      component="dl"
      aria-label={texts.figures.heading}
      sx={{
        display: 'grid',
        gridTemplateColumns: { xs: 'repeat(4, 1fr)', md: 'repeat(2, 1fr)' },
        gap: '1px',
        m: 0,
        bgcolor: 'divider',
        border: 1,
        borderColor: 'divider',
        borderRadius: 1,
        overflow: 'hidden',
      }}
    >
      {FIGURES.map(({ name, colour }) => (
        <Box
          key={name}
          sx={{
            bgcolor: 'background.paper',
            px: { xs: 1, sm: 1.75 },
            py: { xs: 1, md: 0.9 },
            display: 'flex',
            flexDirection: 'column',
          }}
        >
          <Typography component="dt" variant="caption" sx={{ color: 'text.secondary', lineHeight: 1.3 }}>
            {texts.figures[name]}
          </Typography>
          <Typography
            component="dd"
            data-figure={name}
            sx={{
              m: 0,
              mt: 'auto',
              fontSize: { xs: narrowSize(figures?.[name]), md: '1.5rem' },
              fontWeight: 600,
              lineHeight: 1.25,
              letterSpacing: '-0.02em',
              color: colour,
            }}
          >
            {figures === undefined ? '–' : formatCount(figures[name])}
          </Typography>
        </Box>
      ))}
    </Box>
  );
}
