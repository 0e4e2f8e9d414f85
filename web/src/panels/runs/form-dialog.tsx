import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogTitle from '@mui/material/DialogTitle';
import useMediaQuery from '@mui/material/useMediaQuery';
import { type FormEvent, type ReactNode, useEffect, useRef } from 'react';
import { FormInDialog } from '../../ui/form-in-dialog';
import { runTexts } from '../../ui/texts-runs';
import type { Wrong } from './form-model';

interface FormDialogProps {
  heading: string;
  go: string;
  busy: boolean;
  /** What is wrong as a whole, above the fields. */
  trouble: string | undefined;
  wrong: Wrong;
  onSubmit(): void;
  onClose(): void;
  children: ReactNode;
}

/** A dialog with a form in it; after a refusal the first field that is wrong has the focus. */
export function FormDialog({
  heading,
  go,
  busy,
  trouble,
  wrong,
  onSubmit,
  onClose,
  children,
}: FormDialogProps) {
  const narrow = useMediaQuery('(max-width: 599px)');
  const content = useRef<HTMLDivElement>(null);
  const submitted = useRef(false);
  const count = Object.keys(wrong).length;

  useEffect(() => {
    if (!submitted.current || Object.keys(wrong).length === 0) return;
    submitted.current = false;
    content.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [wrong]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    submitted.current = true;
    onSubmit();
  };
  return (
    <Dialog open fullWidth maxWidth="md" fullScreen={narrow} onClose={onClose} aria-labelledby="form-heading">
      <FormInDialog onSubmit={submit}>
        <DialogTitle id="form-heading">{heading}</DialogTitle>
        <DialogContent ref={content} dividers sx={{ display: 'grid', gap: 2.25, alignContent: 'start' }}>
          {(trouble !== undefined || count > 0) && (
            <Alert severity="error" variant="outlined">
              {trouble ?? runTexts.form.wrong(count)}
            </Alert>
          )}
          {children}
        </DialogContent>
        <DialogActions sx={{ px: 3, py: 1.5 }}>
          <Button color="inherit" onClick={onClose}>
            {runTexts.form.cancel}
          </Button>
          <Button type="submit" variant="contained" disableElevation disabled={busy}>
            {busy ? runTexts.form.starting : go}
          </Button>
        </DialogActions>
      </FormInDialog>
    </Dialog>
  );
}
