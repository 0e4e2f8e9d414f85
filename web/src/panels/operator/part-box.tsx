import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useEffect, useState } from 'react';
import { actOnPart, type Part, type PartAct, type PartState } from '../../api/operator';
import { formatBytes, formatDuration, formatWhen } from '../../ui/format';
import { operatorTexts as texts } from '../../ui/texts-operator';
import { PartStateMark } from './part-state';
import { useAct } from './use-act';

/** A second press within this time kills. */
const SURE_MS = 4000;

interface PartBoxProps {
  part: Part;
  /** The name of the run that its people live in. */
  run: string | undefined;
  nowMs: number;
}

/** A part: how it is, since when, what it costs, and what can be done to it. */
export function PartBox({ part, run: ofRun, nowMs }: PartBoxProps) {
  const act = useAct();
  const [busy, setBusy] = useState(false);
  const run = async (what: PartAct) => {
    setBusy(true);
    await act(() => actOnPart(part.name, what), texts.events.acted[what](part.name));
    setBusy(false);
  };
  const can = (what: PartAct) => !busy && part.actions.includes(what);
  // A part that can never be held up has no button for it.
  const hold = (['pause', 'resume'] as const).filter((what) => part.actions.includes(what));
  const facts = [
    ofRun,
    // Where Kafka clients connect to; where the server is, the page knows.
    part.kind === 'broker' && part.address,
    part.restarts > 0 && texts.restarts(part.restarts),
    part.memory_bytes != null && formatBytes(part.memory_bytes),
    part.cpu_seconds != null && texts.cpu(formatDuration(part.cpu_seconds * 1000)),
  ].filter(Boolean);
  return (
    <Box
      role="group"
      aria-label={part.name}
      data-part={part.name}
      data-state={part.state}
      sx={{
        bgcolor: 'background.paper',
        border: 1,
        ...border(part.state),
        borderRadius: 1,
        p: 1.25,
        minWidth: 0,
      }}
    >
      <Typography sx={{ fontSize: '0.875rem', fontWeight: 600, overflowWrap: 'anywhere' }}>
        {part.name}
      </Typography>
      <Box sx={{ display: 'flex', alignItems: 'baseline', gap: 0.75, flexWrap: 'wrap' }}>
        <PartStateMark state={part.state} />
        <Typography component="span" variant="caption" sx={{ color: 'text.secondary' }}>
          {part.since_ms != null && texts.since(formatDuration(Math.max(0, nowMs - part.since_ms)))}
        </Typography>
      </Box>
      <Typography variant="caption" component="p" sx={{ color: 'text.secondary', m: 0, minHeight: 18 }}>
        {facts.join(' · ')}
      </Typography>
      <LastWarning part={part} nowMs={nowMs} />
      {(part.actions.length > 0 || COMES_BACK.has(part.state)) && (
        <Box sx={{ display: 'flex', gap: 0.5, mt: 0.75, flexWrap: 'wrap', ml: -0.5 }}>
          <KillButton part={part.name} disabled={!can('kill')} onKill={() => void run('kill')} />
          {hold.map((what) => (
            <ActButton key={what} part={part.name} act={what} disabled={!can(what)} onAct={run} />
          ))}
          <ActButton part={part.name} act="restart" disabled={!can('restart')} onAct={run} />
        </Box>
      )}
    </Box>
  );
}

/** What it said last: in the way while it does not run, folded while it does. */
function LastWarning({ part: { says, says_at_ms: atMs, state }, nowMs }: { part: Part; nowMs: number }) {
  if (says == null) return null;
  const when = atMs == null ? texts.says : texts.saysAgo(formatDuration(Math.max(0, nowMs - atMs)));
  return (
    <Box
      // Another state begins folded or open anew.
      key={state === 'running' ? 'folded' : 'open'}
      component="details"
      open={state !== 'running'}
      title={atMs == null ? undefined : formatWhen(atMs)}
      sx={{ fontSize: '0.75rem', mt: 0.25, overflowWrap: 'anywhere' }}
    >
      <Box
        component="summary"
        sx={{ color: 'text.secondary', minHeight: 24, lineHeight: '24px', cursor: 'pointer' }}
      >
        {when}
      </Box>
      {says}
    </Box>
  );
}

/** Its buttons keep their place meanwhile. */
const COMES_BACK: ReadonlySet<PartState> = new Set(['waiting', 'paused', 'refused', 'stopped']);

function border(state: PartState): { borderColor: string; borderStyle: string } {
  if (state === 'running' || state === 'elsewhere' || state === 'finished')
    return {
      borderColor: state === 'elsewhere' ? 'action.disabled' : 'divider',
      borderStyle: state === 'elsewhere' ? 'dotted' : 'solid',
    };
  const bad = state === 'refused' || state === 'stopped';
  return { borderColor: bad ? 'error.main' : 'warning.main', borderStyle: 'dashed' };
}

const small = { minWidth: 0, px: 0.75, py: 0.25, fontSize: '0.78rem', lineHeight: 1.5 };

interface ActButtonProps {
  part: string;
  act: PartAct;
  disabled: boolean;
  onAct(act: PartAct): Promise<void>;
}

function ActButton({ part, act, disabled, onAct }: ActButtonProps) {
  return (
    <Button
      size="small"
      color="inherit"
      disabled={disabled}
      aria-label={texts.actOn(texts.acts[act], part)}
      onClick={() => void onAct(act)}
      sx={small}
    >
      {texts.acts[act]}
    </Button>
  );
}

/** Killing takes a second press. */
function KillButton({ part, disabled, onKill }: { part: string; disabled: boolean; onKill(): void }) {
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    if (!asked) return;
    const timer = setTimeout(() => setAsked(false), SURE_MS);
    return () => clearTimeout(timer);
  }, [asked]);
  const press = () => {
    setAsked(!asked);
    if (asked) onKill();
  };
  return (
    <Button
      size="small"
      color="error"
      variant={asked ? 'contained' : 'text'}
      disableElevation
      disabled={disabled}
      aria-label={asked ? texts.sureLabel(part) : texts.actOn(texts.acts.kill, part)}
      onClick={press}
      sx={small}
    >
      {asked ? texts.sure : texts.acts.kill}
    </Button>
  );
}
