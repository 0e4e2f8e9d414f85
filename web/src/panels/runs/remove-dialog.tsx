import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogTitle from '@mui/material/DialogTitle';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { ServerError } from '../../api/ask';
import type { Run } from '../../api/client';
import { deleteRun } from '../../api/operator';
import { formatCount, formatDate } from '../../ui/format';
import { runTexts } from '../../ui/texts-runs';
import { useExpiry } from '../session/use-operator';

const texts = runTexts.removing;

interface RemoveDialogProps {
  run: Run;
  onClose(): void;
  onRemoved(): void;
}

/** Asks once more before a run is gone for good, by its name. */
export function RemoveDialog({ run, onClose, onRemoved }: RemoveDialogProps) {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string>();
  const isExpired = useExpiry();
  const remove = async () => {
    setBusy(true);
    try {
      await deleteRun(run.id);
      onRemoved();
    } catch (error) {
      isExpired(error);
      const detail = error instanceof ServerError ? error.problem?.detail : undefined;
      setTrouble(detail ?? runTexts.acts.stillRuns);
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      onClose={onClose}
      aria-labelledby="remove-heading"
      aria-describedby="remove-what"
      maxWidth="xs"
    >
      <DialogTitle id="remove-heading">{texts.heading(run.name)}</DialogTitle>
      <DialogContent>
        <Typography id="remove-what" variant="body2">
          {texts.what(formatDate(run.started_ms), formatCount(run.nodes), formatCount(run.contacts))}
        </Typography>
        {trouble !== undefined && (
          <Alert severity="error" variant="outlined" sx={{ mt: 2 }}>
            {trouble}
          </Alert>
        )}
      </DialogContent>
      <DialogActions sx={{ px: 3, pb: 2 }}>
        <Button color="inherit" onClick={onClose} autoFocus>
          {texts.no}
        </Button>
        <Button
          color="error"
          variant="contained"
          disableElevation
          disabled={busy}
          onClick={() => void remove()}
        >
          {texts.yes(run.name)}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
