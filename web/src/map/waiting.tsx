import { keyframes } from '@emotion/react';
import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { formatClock } from '../ui/format';
import { useSessionState } from '../ui/session-context';
import { texts } from '../ui/texts';

const turn = keyframes({ to: { transform: 'rotate(360deg)' } });
const breathe = keyframes({ '50%': { opacity: 0.45 } });

/** The one quiet state for whatever is wrong: a loading picture at first, later the last picture and a word. */
export function Waiting() {
  const hasPicture = useSessionState((state) => state.hasPicture);
  const awaySince = useSessionState((state) => state.awaySince);
  if (!hasPicture) return <LoadingPicture />;
  if (awaySince === undefined) return null;
  return (
    <Box
      role="status"
      sx={{
        position: 'absolute',
        left: '50%',
        top: 14,
        transform: 'translateX(-50%)',
        display: 'flex',
        alignItems: 'center',
        gap: 1,
        px: 1.75,
        py: 0.75,
        whiteSpace: 'nowrap',
        borderRadius: 5,
        bgcolor: 'background.paper',
        border: 1,
        borderColor: 'divider',
        boxShadow: 2,
      }}
    >
      <Mark size={18} />
      <Typography variant="body2">
        <strong>{texts.waiting.again}</strong> {texts.waiting.since(formatClock(awaySince))}
      </Typography>
    </Box>
  );
}

/** What is seen before there is anything to see. */
export function LoadingPicture({ text = texts.waiting.first }: { text?: string }) {
  return (
    <Box
      role="status"
      data-testid="loading-picture"
      sx={{
        position: 'absolute',
        inset: 0,
        display: 'grid',
        placeContent: 'center',
        justifyItems: 'center',
        gap: 2,
        bgcolor: 'background.default',
      }}
    >
      <Mark size={88} />
      <Typography variant="body2" sx={{ color: 'text.secondary' }}>
        {text}
      </Typography>
    </Box>
  );
}

/** A person with the dashed ring of the radius around them, turning. */
function Mark({ size }: { size: number }) {
  return (
    <Box
      component="svg"
      viewBox="0 0 32 32"
      aria-hidden="true"
      sx={{ width: size, height: size, overflow: 'visible' }}
    >
      <Box
        component="circle"
        cx="16"
        cy="16"
        r="14"
        sx={{
          fill: 'none',
          stroke: 'currentColor',
          strokeWidth: 1.6,
          strokeDasharray: '5.5 3.3',
          color: 'error.main',
          opacity: 0.7,
          transformOrigin: '16px 16px',
          animation: `${turn} 14s linear infinite`,
        }}
      />
      <Box
        component="circle"
        cx="16"
        cy="16"
        r="5.5"
        sx={{
          fill: 'currentColor',
          color: 'primary.main',
          animation: `${breathe} 2.4s ease-in-out infinite`,
        }}
      />
    </Box>
  );
}
