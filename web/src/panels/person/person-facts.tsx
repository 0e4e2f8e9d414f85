import Box from '@mui/material/Box';
import IconButton from '@mui/material/IconButton';
import Tooltip from '@mui/material/Tooltip';
import Typography from '@mui/material/Typography';
import { type ReactNode, useState } from 'react';
import type { Node } from '../../api/client';
import { formatClock, formatCount, formatWhen, shortId } from '../../ui/format';
import { Icon } from '../../ui/icons';
import { texts } from '../../ui/texts';
import { CategoryMark } from '../category-mark';
import type { Now } from './use-selection';

export function stateText(now: Now): string {
  return now.diedInfected ? texts.person.states.deadInfected : texts.person.states[now.category];
}

/** Who it is, how they are now, and where. */
export function PersonFacts({ id, now, node }: { id: string; now: Now | undefined; node: Node | undefined }) {
  return (
    <>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 1 }}>
        {now && <CategoryMark category={now.category} size={20} />}
        <Typography
          sx={{ fontFamily: 'monospace', fontWeight: 600 }}
          title={id}
          data-testid="person-id"
          data-id={id}
        >
          {shortId(id)}
        </Typography>
        <CopyId id={id} />
        <Typography variant="body2" data-testid="person-state" sx={{ ml: 'auto', fontWeight: 600 }}>
          {now ? stateText(now) : texts.person.gone}
        </Typography>
      </Box>
      <Box
        component="dl"
        sx={{ m: 0, mt: 0.75, display: 'grid', gridTemplateColumns: 'auto 1fr', columnGap: 2, rowGap: 0.25 }}
      >
        {now && <Fact name={texts.person.position}>{`${now.x.toFixed(1)}, ${now.y.toFixed(1)}`}</Fact>}
        {node && (
          <Fact name={texts.person.seen}>
            {texts.person.seenFromTo(formatWhen(node.first_ms), formatClock(node.last_ms))}
          </Fact>
        )}
        {node && <Fact name={texts.person.contacts}>{formatCount(node.contacts_count)}</Fact>}
      </Box>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <Typography component="dt" variant="body2" sx={{ color: 'text.secondary' }}>
        {name}
      </Typography>
      <Typography component="dd" variant="body2" sx={{ m: 0 }}>
        {children}
      </Typography>
    </>
  );
}

function CopyId({ id }: { id: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <Tooltip title={copied ? texts.person.copied : texts.person.copy} onClose={() => setCopied(false)}>
      <IconButton
        size="small"
        aria-label={texts.person.copy}
        onClick={() => void navigator.clipboard?.writeText(id).then(() => setCopied(true))}
      >
        <Icon name="copy" sx={{ fontSize: 16 }} />
      </IconButton>
    </Tooltip>
  );
}
