import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import Tooltip from '@mui/material/Tooltip';
import type { ReactElement } from 'react';
import { useChoices } from '../ui/choices';
import { Icon } from '../ui/icons';
import { useSession, useSessionState } from '../ui/session-context';
import { texts } from '../ui/texts';
import { GoTo, StepButton } from './go-to';
import { useOperator } from './session/use-operator';
import { SpeedChoice } from './speed-choice';
import { TimeSlider } from './time-slider';
import { TimeState } from './time-state';

/** Everything about time: where we are, going there, playing and how fast. */
export function TimeBar() {
  return (
    <Box
      component="section"
      aria-label={texts.time.heading}
      sx={{
        bgcolor: 'background.paper',
        border: 1,
        borderColor: 'divider',
        borderRadius: 1,
        px: { xs: 1.25, sm: 2 },
        py: 1,
        display: 'grid',
        gap: 0.25,
      }}
    >
      <Box sx={{ display: 'flex', alignItems: 'center', gap: { xs: 0.5, sm: 1.5 }, flexWrap: 'wrap' }}>
        <Transport />
        <TimeState />
        <GoTo />
        <Box sx={{ ml: 'auto', display: 'flex', alignItems: 'center', gap: 1 }}>
          <ForkHere />
          <SpeedChoice />
          <BackToLive />
        </Box>
      </Box>
      <TimeSlider />
    </Box>
  );
}

function Transport() {
  const session = useSession();
  const mode = useSessionState((state) => state.mode);
  const replays = useSessionState(
    (state) => state.mode === 'paused' && !state.growing && state.wanted >= state.latest,
  );
  const first = useSessionState((state) => state.first);
  const [label, icon] = replays
    ? [texts.time.replay(first), <Icon name="replay" key="replay" />]
    : mode === 'paused'
      ? [texts.time.play, <Icon name="play" key="play" />]
      : [texts.time.pause, <Icon name="pause" key="pause" />];
  return (
    <Box sx={{ display: 'flex', alignItems: 'center' }}>
      <Box sx={wideOnly}>
        <StepButton by="minute" sign={-1} />
        <StepButton by="second" sign={-1} />
      </Box>
      <TransportButton label={texts.time.back} icon={<Icon name="back" />} onClick={() => session.step(-1)} />
      <Tooltip title={label}>
        <IconButton
          aria-label={label}
          onClick={() => session.toggle()}
          sx={{
            bgcolor: 'primary.main',
            color: 'primary.contrastText',
            mx: 0.25,
            '&:hover': { bgcolor: 'primary.dark' },
          }}
        >
          {icon}
        </IconButton>
      </Tooltip>
      <TransportButton
        label={texts.time.forward}
        icon={<Icon name="forward" />}
        onClick={() => session.step(1)}
      />
      <Box sx={wideOnly}>
        <StepButton by="second" sign={1} />
        <StepButton by="minute" sign={1} />
      </Box>
    </Box>
  );
}

/** Elsewhere they stand in the form for going to a time. */
const wideOnly = { display: 'none', '@media (min-width: 1400px)': { display: 'flex' } } as const;

function TransportButton({ label, icon, onClick }: { label: string; icon: ReactElement; onClick(): void }) {
  return (
    <Tooltip title={label}>
      <IconButton aria-label={label} onClick={onClick} size="small">
        {icon}
      </IconButton>
    </Tooltip>
  );
}

function BackToLive() {
  const session = useSession();
  const live = useSessionState((state) => state.mode === 'live');
  if (live) return null;
  return (
    <Button
      size="small"
      variant="outlined"
      color="error"
      onClick={() => session.goLive()}
      sx={{ whiteSpace: 'nowrap', minWidth: 0 }}
    >
      {texts.time.backToLive}
    </Button>
  );
}

/** For the operator: goes on from the moment on show, with other parameters. */
function ForkHere() {
  const { hasLaboratory } = useOperator();
  const canFork = useSessionState(({ run }) => run?.kind === 'fleet' && run.forked_from === undefined);
  const moment = useSessionState((state) => state.moment);
  const set = useChoices((choices) => choices.set);
  if (!hasLaboratory || !canFork) return null;
  return (
    <Tooltip title={texts.time.fork}>
      <IconButton aria-label={texts.time.fork} size="small" onClick={() => set({ forkAt: moment })}>
        <Icon name="fork" />
      </IconButton>
    </Tooltip>
  );
}
