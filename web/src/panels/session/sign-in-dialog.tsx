import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogTitle from '@mui/material/DialogTitle';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ServerError } from '../../api/ask';
import { signIn } from '../../api/operator';
import { askSessionAgain } from '../../api/operator-queries';
import { FormInDialog } from '../../ui/form-in-dialog';
import { texts } from '../../ui/texts';
import { useNotice } from './notice';

/** Asks for the operator's token. */
export default function SignInDialog({ onClose }: { onClose(): void }) {
  const client = useQueryClient();
  const tell = useNotice((notice) => notice.tell);
  const [token, setToken] = useState('');
  const [wrong, setWrong] = useState<string>();
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (token.trim() === '') return setWrong(texts.operator.missing);
    setBusy(true);
    try {
      await signIn(token.trim());
      await askSessionAgain(client);
      tell(texts.operator.welcome);
      onClose();
    } catch (error) {
      const refused = error instanceof ServerError && error.status === 401;
      setWrong(refused ? texts.operator.wrong : texts.operator.away);
      setBusy(false);
    }
  };

  return (
    <Dialog open onClose={onClose} aria-labelledby="sign-in-heading" maxWidth="xs">
      <FormInDialog onSubmit={submit}>
        <DialogTitle id="sign-in-heading">{texts.operator.heading}</DialogTitle>
        <DialogContent>
          <Typography variant="body2" sx={{ color: 'text.secondary', mb: 2 }}>
            {texts.operator.intro}
          </Typography>
          <TextField
            autoFocus
            fullWidth
            size="small"
            type="password"
            autoComplete="current-password"
            label={texts.operator.token}
            value={token}
            onChange={(event) => {
              setToken(event.target.value);
              setWrong(undefined);
            }}
            error={wrong !== undefined}
            helperText={wrong ?? texts.operator.tokenHint}
            slotProps={{ formHelperText: { role: wrong === undefined ? undefined : 'alert' } }}
          />
        </DialogContent>
        <DialogActions sx={{ px: 3, pb: 2 }}>
          <Button color="inherit" onClick={onClose}>
            {texts.operator.cancel}
          </Button>
          <Button type="submit" variant="contained" disableElevation disabled={busy}>
            {texts.operator.enter}
          </Button>
        </DialogActions>
      </FormInDialog>
    </Dialog>
  );
}
