import Box from '@mui/material/Box';
import ButtonBase from '@mui/material/ButtonBase';
import { useOperator } from '../panels/session/use-operator';
import { useChoices, VIEWS } from '../ui/choices';
import { texts } from '../ui/texts';

/** The page's views. The laboratory is there for its operator alone. */
export function Nav() {
  const { page, set } = useChoices();
  const { hasLaboratory } = useOperator();
  return (
    <Box
      component="nav"
      aria-label={texts.views.label}
      sx={{
        display: 'flex',
        gap: 0.5,
        order: { xs: 1, md: 0 },
        alignSelf: 'stretch',
        ml: { xs: -0.5, md: 1 },
        mr: { xs: 'auto', md: 0 },
      }}
    >
      {VIEWS.filter((view) => view !== 'laboratory' || hasLaboratory).map((view) => (
        <ButtonBase
          key={view}
          aria-current={view === page ? 'page' : undefined}
          onClick={() => set(view === 'runs' && page === 'runs' ? { comparing: false } : { page: view })}
          sx={{
            px: 1.25,
            minHeight: 40,
            font: 'inherit',
            fontSize: '0.875rem',
            fontWeight: view === page ? 600 : 500,
            color: view === page ? 'text.primary' : 'text.secondary',
            borderBottom: 2,
            borderTop: 2,
            borderTopColor: 'transparent',
            borderBottomColor: view === page ? 'error.main' : 'transparent',
            '&:hover': { color: 'text.primary' },
            '&:focus-visible': { outline: '2px solid', outlineColor: 'primary.main', outlineOffset: '-4px' },
          }}
        >
          {texts.views[view]}
        </ButtonBase>
      ))}
    </Box>
  );
}
