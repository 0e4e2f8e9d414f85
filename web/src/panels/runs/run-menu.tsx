import Divider from '@mui/material/Divider';
import IconButton from '@mui/material/IconButton';
import ListItemIcon from '@mui/material/ListItemIcon';
import ListItemText from '@mui/material/ListItemText';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import { type ComponentProps, useState } from 'react';
import type { Run } from '../../api/client';
import { EXPORTS, exportUrl } from '../../api/operator';
import { Icon } from '../../ui/icons';
import { runTexts } from '../../ui/texts-runs';
import { useOperator } from '../session/use-operator';
import { forkingForbidden, type RunState } from './run-facts';

const texts = runTexts.acts;

export type RunAct = 'open' | 'stop' | 'fork' | 'remove';

interface RunMenuProps {
  run: Run;
  state: RunState;
  onAct(act: RunAct): void;
}

/** What can be done with a run: by everybody, and by the operator. */
export function RunMenu({ run, state, onAct }: RunMenuProps) {
  const { is, hasLaboratory } = useOperator();
  const [anchor, setAnchor] = useState<HTMLElement>();
  const unforkable = forkingForbidden(run);
  const close = () => setAnchor(undefined);
  const item = (act: RunAct, icon: ComponentProps<typeof Icon>['name'], disabled = false, hint?: string) => (
    <MenuItem
      key={act}
      dense
      disabled={disabled}
      onClick={() => {
        close();
        onAct(act);
      }}
    >
      <ListItemIcon>
        <Icon name={icon} />
      </ListItemIcon>
      <ListItemText primary={texts[act]} secondary={hint} sx={{ maxWidth: 260, whiteSpace: 'normal' }} />
    </MenuItem>
  );
  return (
    <>
      <IconButton
        size="small"
        aria-label={runTexts.more(run.name)}
        aria-haspopup="menu"
        aria-expanded={anchor !== undefined}
        onClick={(event) => setAnchor(event.currentTarget)}
      >
        <Icon name="more" />
      </IconButton>
      {/* Inside the page's main part: what lies outside of every landmark is hard to find by ear. */}
      <Menu
        open={anchor !== undefined}
        anchorEl={anchor ?? null}
        onClose={close}
        container={() => document.querySelector('main')}
      >
        {item('open', 'map')}
        {hasLaboratory && item('stop', 'stop', state === 'over')}
        {hasLaboratory && item('fork', 'fork', unforkable !== undefined, unforkable)}
        <Divider />
        {EXPORTS.map((what) => (
          <MenuItem key={what} dense component="a" href={exportUrl(run.id, what)} download onClick={close}>
            <ListItemIcon>
              <Icon name="download" />
            </ListItemIcon>
            <ListItemText>{texts.export(texts.exports[what])}</ListItemText>
          </MenuItem>
        ))}
        {is && <Divider />}
        {is && item('remove', 'remove', state !== 'over', state === 'over' ? undefined : texts.stillRuns)}
      </Menu>
    </>
  );
}
