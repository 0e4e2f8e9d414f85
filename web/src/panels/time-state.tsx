import { keyframes } from '@emotion/react';
import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { formatDuration, formatWhen } from '../ui/format';
import { useSession, useSessionState } from '../ui/session-context';
import { texts } from '../ui/texts';

const pulse = keyframes({ '50%': { opacity: 0.35 } });

/** Live, Playing or Paused, spelled out; the day; and how far behind live it is. */
export function TimeState() {
  const session = useSession();
  const mode = useSessionState((state) => state.mode);
  const wanted = useSessionState((state) => state.wanted);
  const timeMs = useSessionState((state) =>
    state.wanted === state.moment ? state.timeMs : session.timeAt(state.wanted),
  );
  const latestMs = useSessionState((state) => state.latestMs);
  const growing = useSessionState((state) => state.growing);
  const known = timeMs > 0;
  const word = mode === 'live' ? texts.time.live : texts.time[mode](known ? formatWhen(timeMs) : '…');
  const note =
    mode === 'live'
      ? !growing && latestMs > 0 && texts.time.quiet(formatWhen(latestMs))
      : latestMs > timeMs && known && texts.time.behind(formatDuration(latestMs - timeMs));
  return (
    <Box
      sx={{ display: 'flex', alignItems: 'baseline', gap: { xs: 1, sm: 1.5 }, flexWrap: 'wrap', minWidth: 0 }}
    >
      <Typography
        component="output"
        aria-label={texts.time.slider}
        data-testid="day"
        sx={{ fontSize: '1.15rem', fontWeight: 600, letterSpacing: '-0.01em' }}
      >
        {texts.time.day(wanted)}
      </Typography>
      <Typography
        variant="body2"
        data-testid="mode"
        data-mode={mode}
        sx={{
          display: 'inline-flex',
          alignItems: 'center',
          gap: 0.75,
          fontWeight: 550,
          color: mode === 'live' ? 'error.main' : 'text.primary',
        }}
      >
        {mode === 'live' && (
          <Box
            component="span"
            aria-hidden="true"
            sx={{
              width: 8,
              height: 8,
              borderRadius: '50%',
              bgcolor: 'error.main',
              animation: growing ? `${pulse} 2s ease-in-out infinite` : 'none',
            }}
          />
        )}
        {word}
      </Typography>
      {note && (
        <Typography variant="body2" sx={{ color: 'text.secondary', display: { xs: 'none', sm: 'block' } }}>
          {note}
        </Typography>
      )}
    </Box>
  );
}
