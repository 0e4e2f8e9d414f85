import Box from '@mui/material/Box';
import Dialog from '@mui/material/Dialog';
import DialogContent from '@mui/material/DialogContent';
import DialogTitle from '@mui/material/DialogTitle';
import IconButton from '@mui/material/IconButton';
import Typography from '@mui/material/Typography';
import { useChoices } from '../ui/choices';
import { Icon } from '../ui/icons';
import { texts } from '../ui/texts';
import { useOperator } from './session/use-operator';

/** Visitors have no laboratory to go to. */
const OPERATORS_KEY = '3';

/** The keys, listed under `?`. */
export function HelpDialog() {
  const open = useChoices((choices) => choices.help);
  const set = useChoices((choices) => choices.set);
  const { hasLaboratory } = useOperator();
  const close = () => set({ help: false });
  return (
    <Dialog open={open} onClose={close} aria-labelledby="help-heading" maxWidth="md">
      <DialogTitle
        id="help-heading"
        sx={{ display: 'flex', justifyContent: 'space-between', alignItems: 'center' }}
      >
        {texts.help.heading}
        <IconButton aria-label={texts.help.close} onClick={close} edge="end">
          <Icon name="close" />
        </IconButton>
      </DialogTitle>
      <DialogContent
        tabIndex={0}
        sx={{ display: 'grid', gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr' }, gap: 3 }}
      >
        {texts.help.groups.map(({ name, keys }) => (
          <Box key={name}>
            <Typography variant="h2" component="h3" sx={{ color: 'text.secondary', mb: 1 }}>
              {name}
            </Typography>
            <Box
              component="dl"
              sx={{ m: 0, display: 'grid', gridTemplateColumns: 'auto 1fr', columnGap: 2, rowGap: 0.75 }}
            >
              {keys
                .filter(([key]) => hasLaboratory || key !== OPERATORS_KEY)
                .map(([key, act]) => (
                  <Box key={key} sx={{ display: 'contents' }}>
                    <Box component="dt">
                      <Box
                        component="kbd"
                        sx={{
                          font: 'inherit',
                          fontSize: '0.8rem',
                          px: 0.75,
                          py: 0.25,
                          border: 1,
                          borderColor: 'divider',
                          borderRadius: 0.6,
                          bgcolor: 'background.default',
                          whiteSpace: 'nowrap',
                        }}
                      >
                        {key}
                      </Box>
                    </Box>
                    <Typography component="dd" variant="body2" sx={{ m: 0 }}>
                      {act}
                    </Typography>
                  </Box>
                ))}
            </Box>
          </Box>
        ))}
      </DialogContent>
    </Dialog>
  );
}
