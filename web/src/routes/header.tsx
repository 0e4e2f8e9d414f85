import Box from '@mui/material/Box';
import IconButton from '@mui/material/IconButton';
import Tooltip from '@mui/material/Tooltip';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';
import { OperatorButton } from '../panels/session/operator-button';
import { ThemeChoice } from '../panels/theme-choice';
import { useChoices } from '../ui/choices';
import { Icon } from '../ui/icons';
import { texts } from '../ui/texts';

interface HeaderProps {
  /** Stands beside the title, on narrow screens below it. */
  nav?: ReactNode;
  /** Stands before the page's own buttons. */
  children?: ReactNode;
}

/** The top of the page. */
export function Header({ nav, children }: HeaderProps) {
  const set = useChoices((choices) => choices.set);
  return (
    <Box
      component="header"
      sx={{
        display: 'flex',
        flexWrap: { xs: 'wrap', md: 'nowrap' },
        alignItems: 'center',
        columnGap: { xs: 1, sm: 2 },
        px: { xs: 1.5, sm: 2.5 },
        minHeight: 56,
        bgcolor: 'background.paper',
        borderBottom: 1,
        borderColor: 'divider',
      }}
    >
      <Box
        component="svg"
        viewBox="0 0 32 32"
        aria-hidden="true"
        sx={{ width: 28, height: 28, flexShrink: 0, color: 'error.main' }}
      >
        <circle
          cx="16"
          cy="16"
          r="13"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.800"
          strokeDasharray="5 3.200"
        />
        <circle cx="16" cy="16" r="6" fill="currentColor" />
      </Box>
      <Typography
        variant="h1"
        sx={{ mr: { xs: 'auto', md: 0 }, minWidth: 0, lineHeight: 1.2, py: { xs: 1, md: 0 } }}
      >
        {texts.name}
        <Box
          component="span"
          sx={{
            color: 'text.secondary',
            fontWeight: 450,
            display: { xs: 'block', md: 'inline' },
            fontSize: { xs: '0.72rem', md: 'inherit' },
          }}
        >
          <Box component="span" sx={{ display: { xs: 'none', md: 'inline' } }}>
            :{' '}
          </Box>
          {texts.subtitle}
        </Box>
      </Typography>
      {nav}
      <Box sx={{ display: { xs: 'none', md: 'block' }, flex: 1 }} />
      {children}
      {/* On narrow screens the views begin a line of their own, and the page's buttons end it. */}
      <Box sx={{ display: { xs: 'block', md: 'none' }, flexBasis: '100%' }} />
      <Box sx={{ display: 'flex', order: { xs: 2, md: 0 }, mr: { xs: -1, md: 0 } }}>
        <OperatorButton />
        <ThemeChoice />
        <Tooltip title={texts.help.button}>
          <IconButton
            aria-label={texts.help.button}
            onClick={() => set({ help: true })}
            sx={{ display: { xs: 'none', sm: 'inline-flex' } }}
          >
            <Icon name="keyboard" />
          </IconButton>
        </Tooltip>
      </Box>
    </Box>
  );
}
