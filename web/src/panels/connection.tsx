import Box from '@mui/material/Box';
import Tooltip from '@mui/material/Tooltip';
import Typography from '@mui/material/Typography';
import { formatClock } from '../ui/format';
import { useSessionState } from '../ui/session-context';
import { texts } from '../ui/texts';

/** A dot and a word: connected, or since when not. It never says what is wrong. */
export function Connection() {
  const away = useSessionState((state) => state.awaySince);
  const hasPicture = useSessionState((state) => state.hasPicture);
  const [word, colour] =
    away !== undefined
      ? [texts.waiting.again, 'text.secondary']
      : hasPicture
        ? [texts.connection.steady, 'success.main']
        : [texts.connection.waiting, 'text.secondary'];
  return (
    <Tooltip title={away === undefined ? '' : texts.connection.away(formatClock(away))}>
      <Box
        data-testid="connection"
        sx={{ display: 'flex', alignItems: 'center', gap: 0.75, color: 'text.secondary' }}
      >
        <Box
          component="span"
          aria-hidden="true"
          sx={{ width: 8, height: 8, borderRadius: '50%', bgcolor: colour }}
        />
        <Typography variant="body2" sx={{ display: { xs: 'none', md: 'block' } }}>
          {word}
        </Typography>
      </Box>
    </Tooltip>
  );
}
