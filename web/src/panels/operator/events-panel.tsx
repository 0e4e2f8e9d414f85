import Box from '@mui/material/Box';
import Link from '@mui/material/Link';
import Typography from '@mui/material/Typography';
import { useChoices } from '../../ui/choices';
import { formatClock } from '../../ui/format';
import { useHappenings } from '../../ui/happenings';
import { Panel } from '../../ui/panel';
import { useOptionalSession } from '../../ui/session-context';
import { operatorTexts } from '../../ui/texts-operator';

const texts = operatorTexts.events;

/** What the operator did and what the parts did, newest first; a time leads to the map as it was then. */
export function EventsPanel() {
  const events = useHappenings((happenings) => happenings.list);
  const session = useOptionalSession();
  const set = useChoices((choices) => choices.set);
  const go = (atMs: number) => {
    session?.seekTime(atMs);
    set({ page: 'map' });
  };
  return (
    <Panel heading={texts.heading}>
      {events.length === 0 && (
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {texts.none}
        </Typography>
      )}
      <Box
        component="ol"
        tabIndex={events.length > 0 ? 0 : -1}
        aria-label={texts.heading}
        aria-live="polite"
        sx={{ listStyle: 'none', m: 0, p: 0, maxHeight: 240, overflowY: 'auto', fontSize: '0.84rem' }}
      >
        {events.map(({ id, atMs, words }) => (
          <Box component="li" key={id} sx={{ display: 'flex', gap: 1.5, alignItems: 'baseline' }}>
            <Link
              component="button"
              color="inherit"
              aria-label={texts.goTo(formatClock(atMs))}
              onClick={() => go(atMs)}
              disabled={session === undefined}
              sx={{ font: 'inherit', minHeight: 26, color: 'text.secondary' }}
            >
              {formatClock(atMs)}
            </Link>
            <span>{words}</span>
          </Box>
        ))}
      </Box>
    </Panel>
  );
}
