import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';
import { texts } from '../ui/texts';

const WIDTH_MAX_PX = 1360;

/** The room of a view that is not the map: it scrolls, and is no wider than one can read. */
export function ViewFrame({ children }: { children: ReactNode }) {
  return (
    <Box
      component="main"
      sx={{
        flex: 1,
        minHeight: 0,
        overflowY: { md: 'auto' },
        px: { xs: 1, sm: 2.5 },
        py: { xs: 1.5, sm: 2.5 },
      }}
    >
      <Box sx={{ maxWidth: WIDTH_MAX_PX, mx: 'auto' }}>{children}</Box>
    </Box>
  );
}

export function ViewLoading() {
  return (
    <Typography role="status" variant="body2" sx={{ color: 'text.secondary', p: 2 }}>
      {texts.views.loading}
    </Typography>
  );
}
