import IconButton from '@mui/material/IconButton';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import { useColorScheme } from '@mui/material/styles';
import Tooltip from '@mui/material/Tooltip';
import { useState } from 'react';
import { Icon } from '../ui/icons';
import { texts } from '../ui/texts';

const MODES = ['system', 'light', 'dark'] as const;

/** Light, dark, or as the system has it. */
export function ThemeChoice() {
  const { mode, setMode } = useColorScheme();
  const [anchor, setAnchor] = useState<HTMLElement>();
  return (
    <>
      <Tooltip title={texts.theme.button}>
        <IconButton
          aria-label={texts.theme.button}
          aria-haspopup="menu"
          onClick={(event) => setAnchor(event.currentTarget)}
        >
          <Icon name="theme" />
        </IconButton>
      </Tooltip>
      <Menu open={anchor !== undefined} anchorEl={anchor ?? null} onClose={() => setAnchor(undefined)}>
        {MODES.map((value) => (
          <MenuItem
            key={value}
            dense
            selected={mode === value}
            onClick={() => {
              setMode(value);
              setAnchor(undefined);
            }}
          >
            {texts.theme[value]}
          </MenuItem>
        ))}
      </Menu>
    </>
  );
}
