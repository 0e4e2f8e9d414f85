import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import Snackbar from '@mui/material/Snackbar';
import Tooltip from '@mui/material/Tooltip';
import { useState } from 'react';
import { Icon } from '../ui/icons';
import { texts } from '../ui/texts';

/** Copies an absolute, paused link to what is seen now. */
export function ShareButton({ link }: { link(): string }) {
  const [told, setTold] = useState<{ text: string; url?: string }>();
  const share = async () => {
    const url = link();
    try {
      await navigator.clipboard.writeText(url);
      setTold({ text: texts.share.copied });
    } catch {
      // Without a secure address or the permission there is no clipboard: the visitor copies it by hand.
      setTold({ text: texts.share.failed, url });
    }
  };
  return (
    <>
      <Tooltip title={texts.share.button}>
        <IconButton aria-label={texts.share.button} onClick={share}>
          <Icon name="share" />
        </IconButton>
      </Tooltip>
      <Snackbar
        open={told !== undefined}
        autoHideDuration={told?.url === undefined ? 3000 : null}
        onClose={(_, reason) => reason !== 'clickaway' && setTold(undefined)}
        message={
          <>
            {told?.text}
            {told?.url !== undefined && (
              <Box
                component="input"
                readOnly
                aria-label={texts.share.link}
                value={told.url}
                autoFocus
                onFocus={(event) => (event.currentTarget as HTMLInputElement).select()}
                sx={{ display: 'block', width: '100%', mt: 1 }}
              />
            )}
          </>
        }
        action={
          <Button size="small" color="inherit" onClick={() => setTold(undefined)}>
            {texts.help.close}
          </Button>
        }
      />
    </>
  );
}
