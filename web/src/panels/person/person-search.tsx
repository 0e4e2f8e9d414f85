import Box from '@mui/material/Box';
import IconButton from '@mui/material/IconButton';
import InputBase from '@mui/material/InputBase';
import Typography from '@mui/material/Typography';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { fetchNode } from '../../api/client';
import { NAMES_MAX, namesQuery } from '../../api/queries';
import { useChoices } from '../../ui/choices';
import { Icon } from '../../ui/icons';
import { useSession } from '../../ui/session-context';
import { texts } from '../../ui/texts';

/** The element that `/` goes to. */
export const SEARCH_ID = 'person-search';
const WHOLE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Finds somebody without a mouse, by their id or its first characters. */
export function PersonSearch() {
  const { runId, store } = useSession();
  const client = useQueryClient();
  const select = useChoices((choices) => choices.select);
  const [text, setText] = useState('');
  const [missed, setMissed] = useState(false);

  const find = async (): Promise<{ id: string; slot: number } | undefined> => {
    const wanted = text.trim().toLowerCase();
    if (WHOLE_ID.test(wanted)) return fetchNode(runId, wanted);
    if (wanted === '' || (store.getState().run?.nodes ?? 0) > NAMES_MAX) return undefined;
    const names = await client.fetchQuery(namesQuery(runId));
    return names.find(({ id }) => id.startsWith(wanted));
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const found = await find().catch(() => undefined);
    setMissed(found === undefined);
    if (found !== undefined) {
      select(found.id, found.slot);
      setText('');
    }
  };
  return (
    <Box component="form" role="search" onSubmit={submit} sx={{ mb: 1 }}>
      <Box
        sx={{
          display: 'flex',
          border: 1,
          borderColor: 'divider',
          borderRadius: 1,
          pl: 1.25,
          '&:focus-within': { borderColor: 'primary.main' },
        }}
      >
        <InputBase
          id={SEARCH_ID}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setMissed(false);
          }}
          onKeyDown={(event) => {
            // Out of the field; the next Escape clears the selection.
            if (event.key === 'Escape') (event.target as HTMLElement).blur();
          }}
          placeholder={texts.person.search}
          slotProps={{
            input: { 'aria-label': texts.person.search, 'aria-description': texts.person.searchHint },
          }}
          sx={{ flex: 1, fontSize: '0.84rem' }}
        />
        <IconButton type="submit" size="small" aria-label={texts.person.find}>
          <Icon name="search" />
        </IconButton>
      </Box>
      <Typography role="status" variant="caption" sx={{ color: 'error.main' }}>
        {missed && texts.person.notFound}
      </Typography>
    </Box>
  );
}
