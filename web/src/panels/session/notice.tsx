import Button from '@mui/material/Button';
import Snackbar from '@mui/material/Snackbar';
import { create } from 'zustand';
import { texts } from '../../ui/texts';

const SHOWN_MS = 6000;

interface NoticeState {
  /** What was done or did not work; also said to screen readers. */
  words: string | undefined;
  tell(words: string | undefined): void;
}

export const useNotice = create<NoticeState>()((set) => ({
  words: undefined,
  tell: (words) => set({ words }),
}));

/** One line at the bottom of the page about what was just done. */
export function Notice() {
  const { words, tell } = useNotice();
  return (
    <Snackbar
      open={words !== undefined}
      autoHideDuration={SHOWN_MS}
      onClose={(_, reason) => reason !== 'clickaway' && tell(undefined)}
      message={words}
      action={
        <Button size="small" color="inherit" onClick={() => tell(undefined)}>
          {texts.operator.close}
        </Button>
      }
    />
  );
}
