import Button from '@mui/material/Button';
import Divider from '@mui/material/Divider';
import ListItemText from '@mui/material/ListItemText';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import { type FormEvent, useState } from 'react';
import { SPEED_MAX, SPEED_MIN, SPEEDS } from '../live/session';
import { useSession, useSessionState } from '../ui/session-context';
import { texts } from '../ui/texts';

/** How fast playing goes: presets, or any number typed. */
export function SpeedChoice() {
  const session = useSession();
  const speed = useSessionState((state) => state.speed);
  const [anchor, setAnchor] = useState<HTMLElement>();
  const [typed, setTyped] = useState('');
  const choose = (value: number) => {
    session.setSpeed(value);
    setAnchor(undefined);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const value = Number(typed.replace(',', '.'));
    if (value >= SPEED_MIN && value <= SPEED_MAX) choose(value);
  };
  return (
    <>
      <Button
        size="small"
        color="inherit"
        aria-haspopup="menu"
        aria-expanded={anchor !== undefined}
        aria-label={`${texts.time.speed} ${texts.time.speedOf(speed)}`}
        onClick={(event) => setAnchor(event.currentTarget)}
        sx={{ minWidth: 0, px: 1 }}
      >
        {texts.time.speedOf(speed)}
      </Button>
      <Menu open={anchor !== undefined} anchorEl={anchor ?? null} onClose={() => setAnchor(undefined)}>
        {SPEEDS.map((value) => (
          <MenuItem key={value} selected={value === speed} dense onClick={() => choose(value)}>
            <ListItemText>{texts.time.speedOf(value)}</ListItemText>
          </MenuItem>
        ))}
        <Divider />
        <MenuItem
          dense
          disableRipple
          component="form"
          onSubmit={submit}
          onKeyDown={(event) => event.stopPropagation()}
        >
          <TextField
            size="small"
            variant="standard"
            label={texts.time.speedTyped}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            slotProps={{ htmlInput: { inputMode: 'decimal', 'aria-description': texts.time.speedUnit } }}
            sx={{ width: 96 }}
          />
        </MenuItem>
      </Menu>
    </>
  );
}
