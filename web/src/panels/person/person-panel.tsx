import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import Tab from '@mui/material/Tab';
import Tabs from '@mui/material/Tabs';
import Tooltip from '@mui/material/Tooltip';
import Typography from '@mui/material/Typography';
import { useEffect, useRef, useState } from 'react';
import { useMapHandle } from '../../map/handle';
import { useChoices } from '../../ui/choices';
import { shortId } from '../../ui/format';
import { Icon } from '../../ui/icons';
import { hiddenText, Panel } from '../../ui/panel';
import { texts } from '../../ui/texts';
import { Contacts, Encounters, History, Infections, Note } from './lists';
import { PersonFacts, stateText } from './person-facts';
import { PersonSearch } from './person-search';
import { useIsolation } from './use-isolation';
import { usePersonNow, useSelection } from './use-selection';

const TABS = ['history', 'encounters', 'contacts', 'infections'] as const;
type TabName = (typeof TABS)[number];

/** Everything about the selected person; the selection outlives scrubbing, playing and live. */
export function PersonPanel() {
  const { id, slot, node, unknown } = useSelection();
  const now = usePersonNow(slot);
  const [tab, setTab] = useState<TabName>('history');
  const select = useChoices((choices) => choices.select);
  useIsolation(id, slot);
  const close = (
    <Tooltip title={texts.person.close}>
      <IconButton
        aria-label={texts.person.close}
        size="small"
        onClick={() => select(undefined)}
        sx={{ my: -0.5 }}
      >
        <Icon name="close" />
      </IconButton>
    </Tooltip>
  );
  const selected = id !== undefined || slot !== undefined;
  return (
    <Panel heading={texts.person.heading} aside={selected && close}>
      <PersonSearch />
      <Announcement id={id} state={now && stateText(now)} />
      {!selected && <Note text={texts.person.none} />}
      {selected && unknown && <Note text={texts.person.notFound} />}
      {id !== undefined && !unknown && (
        <>
          <PersonFacts id={id} now={now} node={node} />
          <PersonActs slot={slot} />
          <Tabs
            value={tab}
            onChange={(_, value) => setTab(value as TabName)}
            variant="fullWidth"
            aria-label={texts.person.heading}
            sx={{
              minHeight: 34,
              mb: 1,
              '& .MuiTab-root': { minHeight: 34, minWidth: 0, px: 0.25, fontSize: '0.78rem' },
            }}
          >
            {TABS.map((name) => (
              <Tab
                key={name}
                value={name}
                label={texts.person.tabs[name]}
                id={`person-tab-${name}`}
                aria-controls="person-tab"
              />
            ))}
          </Tabs>
          <Box
            id="person-tab"
            role="tabpanel"
            aria-labelledby={`person-tab-${tab}`}
            tabIndex={0}
            sx={{ maxHeight: 260, overflowY: 'auto' }}
          >
            {tab === 'history' && (node ? <History node={node} /> : <Note text={texts.person.loading} />)}
            {tab === 'encounters' && <Encounters id={id} />}
            {tab === 'contacts' && <Contacts id={id} />}
            {tab === 'infections' &&
              (node ? <Infections node={node} /> : <Note text={texts.person.loading} />)}
          </Box>
        </>
      )}
    </Panel>
  );
}

function PersonActs({ slot }: { slot: number | undefined }) {
  const map = useMapHandle();
  const { follow, isolate, set } = useChoices();
  return (
    <Box sx={{ display: 'flex', gap: 0.75, my: 1.25 }}>
      <Button
        size="small"
        variant={follow ? 'contained' : 'outlined'}
        aria-pressed={follow}
        onClick={() => set({ follow: !follow })}
        disableElevation
      >
        {texts.person.follow}
      </Button>
      <Button size="small" variant="outlined" onClick={() => slot !== undefined && map.current?.centre(slot)}>
        {texts.person.centre}
      </Button>
      <Button
        size="small"
        variant={isolate ? 'contained' : 'outlined'}
        aria-pressed={isolate}
        onClick={() => set({ isolate: !isolate })}
        disableElevation
      >
        {texts.person.isolate}
      </Button>
    </Box>
  );
}

/** Says a new selection to screen readers, once. */
function Announcement({ id, state }: { id: string | undefined; state: string | undefined }) {
  const said = useRef<string>(undefined);
  const [words, setWords] = useState('');
  useEffect(() => {
    if (id === said.current || (id !== undefined && state === undefined)) return;
    said.current = id;
    setWords(id === undefined ? '' : texts.person.announced(shortId(id), state ?? ''));
  }, [id, state]);
  return (
    <Typography role="status" sx={hiddenText}>
      {words}
    </Typography>
  );
}
