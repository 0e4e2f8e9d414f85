import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import Popover from '@mui/material/Popover';
import TextField from '@mui/material/TextField';
import Tooltip from '@mui/material/Tooltip';
import { type FormEvent, useRef, useState } from 'react';
import { useChoices } from '../ui/choices';
import { Icon } from '../ui/icons';
import { useSession } from '../ui/session-context';
import { texts } from '../ui/texts';
import { readTyped } from './typed-time';

const words = texts.time.goTo;
/** Steps by the run's own time. */
export const STEPS_MS = { second: 1000, minute: 60_000 } as const;

/** A day or a time that is typed, and steps of a second and a minute. */
export function GoTo() {
  const open = useChoices((choices) => choices.goingTo);
  const set = useChoices((choices) => choices.set);
  const anchor = useRef<HTMLButtonElement>(null);
  return (
    <>
      <Tooltip title={words.button}>
        <IconButton
          ref={anchor}
          size="small"
          aria-label={words.button}
          aria-haspopup="dialog"
          aria-expanded={open}
          onClick={() => set({ goingTo: true })}
        >
          <Icon name="clock" />
        </IconButton>
      </Tooltip>
      <Popover
        open={open}
        anchorEl={() => anchor.current}
        onClose={() => set({ goingTo: false })}
        anchorOrigin={{ vertical: 'top', horizontal: 'left' }}
        transformOrigin={{ vertical: 'bottom', horizontal: 'left' }}
        slotProps={{
          paper: {
            role: 'dialog',
            'aria-label': words.button,
            sx: { p: 1.5, width: 332, mt: -1, border: 1, borderColor: 'divider' },
          },
        }}
      >
        <GoToForm onDone={() => set({ goingTo: false })} />
      </Popover>
    </>
  );
}

function GoToForm({ onDone }: { onDone(): void }) {
  const session = useSession();
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { wanted, first, latest } = session.store.getState();
    const typed = readTyped(text, {
      shownMs: session.timeAt(wanted),
      firstMs: session.timeAt(first),
      lastMs: session.timeAt(latest),
    });
    setWrong(typed === undefined);
    if (typed === undefined) return;
    if ('moment' in typed) session.seek(typed.moment);
    else session.seekTime(typed.ms);
    onDone();
  };
  return (
    <>
      <Box component="form" noValidate onSubmit={submit} sx={{ display: 'flex', gap: 1 }}>
        <TextField
          autoFocus
          fullWidth
          size="small"
          label={words.label}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setWrong(false);
          }}
          error={wrong}
          helperText={wrong ? words.wrong : words.hint}
          slotProps={{ formHelperText: { sx: { mx: 0.25 } } }}
        />
        <Button type="submit" variant="contained" disableElevation sx={{ alignSelf: 'start', py: 0.95 }}>
          {words.go}
        </Button>
      </Box>
      <Box sx={{ display: 'grid', gridTemplateColumns: 'repeat(4, 1fr)', gap: 0.75, mt: 1.25 }}>
        <StepButton by="minute" sign={-1} outlined />
        <StepButton by="second" sign={-1} outlined />
        <StepButton by="second" sign={1} outlined />
        <StepButton by="minute" sign={1} outlined />
      </Box>
    </>
  );
}

interface StepButtonProps {
  by: keyof typeof STEPS_MS;
  sign: 1 | -1;
  outlined?: boolean;
}

/** One second or one minute back or forward. */
export function StepButton({ by, sign, outlined = false }: StepButtonProps) {
  const session = useSession();
  return (
    <Button
      size="small"
      color="inherit"
      variant={outlined ? 'outlined' : 'text'}
      aria-label={`${words.short(by, sign)}: ${words.step(by, sign)}`}
      onClick={() => session.skip(sign * STEPS_MS[by])}
      sx={{ minWidth: 0, px: 0.75, whiteSpace: 'nowrap', color: 'text.secondary', borderColor: 'divider' }}
    >
      {words.short(by, sign)}
    </Button>
  );
}
