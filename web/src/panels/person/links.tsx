import Link from '@mui/material/Link';
import { useChoices } from '../../ui/choices';
import { formatClock, shortId } from '../../ui/format';
import { useSession } from '../../ui/session-context';
import { texts } from '../../ui/texts';

/** Somebody's short id; choosing it selects them. */
export function PersonLink({ id }: { id: string }) {
  const select = useChoices((choices) => choices.select);
  return (
    <Link
      component="button"
      title={id}
      aria-label={texts.person.select(shortId(id))}
      onClick={() => select(id)}
      sx={{
        font: 'inherit',
        display: 'inline-block',
        minHeight: 24,
        lineHeight: '24px',
        fontFamily: 'monospace',
        verticalAlign: 'baseline',
      }}
    >
      {shortId(id)}
    </Link>
  );
}

/** A time of the run; choosing it goes there. */
export function TimeLink({ ms }: { ms: number }) {
  const session = useSession();
  const when = formatClock(ms);
  return (
    <Link
      component="button"
      color="inherit"
      aria-label={texts.person.goTo(when)}
      onClick={() => session.seekTime(ms)}
      sx={{
        font: 'inherit',
        display: 'inline-block',
        minHeight: 24,
        lineHeight: '24px',
        verticalAlign: 'baseline',
      }}
    >
      {when}
    </Link>
  );
}
