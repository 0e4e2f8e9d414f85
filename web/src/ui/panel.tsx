import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { type ReactNode, useId } from 'react';

interface PanelProps {
  heading: string;
  /** Stands at the right end of the heading. */
  aside?: ReactNode;
  children: ReactNode;
}

/** A card with a heading; a region for screen readers. */
export function Panel({ heading, aside, children }: PanelProps) {
  const id = useId();
  return (
    <Box
      component="section"
      aria-labelledby={id}
      sx={{
        bgcolor: 'background.paper',
        border: 1,
        borderColor: 'divider',
        borderRadius: 1,
        px: 1.75,
        py: 1.5,
        minWidth: 0,
      }}
    >
      <Box
        sx={{
          display: 'flex',
          alignItems: 'center',
          justifyContent: 'space-between',
          minHeight: 24,
          mb: 0.75,
        }}
      >
        <Typography variant="h2" id={id} sx={{ color: 'text.secondary' }}>
          {heading}
        </Typography>
        {aside}
      </Box>
      {children}
    </Box>
  );
}

/** Text for screen readers only. */
export const hiddenText = {
  position: 'absolute',
  width: '1px',
  height: '1px',
  overflow: 'hidden',
  clipPath: 'inset(50%)',
  whiteSpace: 'nowrap',
} as const;
