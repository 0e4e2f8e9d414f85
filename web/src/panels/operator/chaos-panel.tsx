import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { type ChaosInfo, startChaos, stopChaos } from '../../api/operator';
import { chaosQuery } from '../../api/operator-queries';
import { formatDuration } from '../../ui/format';
import { Panel } from '../../ui/panel';
import { operatorTexts } from '../../ui/texts-operator';
import { FaultPlan } from './fault-plan';
import { useAct } from './use-act';
import { VerdictTable } from './verdict';

const texts = operatorTexts.chaos;
const MINUTES_MAX = 24 * 60;
/** Those that the laboratory knows by name; without a name it is by chance, of the seed. */
const SCHEDULES = ['chance', 'paper'] as const;
type Schedule = (typeof SCHEDULES)[number];

/** Starts a chaos of a seed, and follows it: its faults, and in the end whether anything was lost. */
export function ChaosPanel() {
  const act = useAct();
  const { data } = useQuery(chaosQuery);
  const isRunning = data?.state === 'running';
  return (
    <Panel
      heading={texts.heading}
      aside={
        isRunning && (
          <Button
            size="small"
            color="error"
            variant="outlined"
            onClick={() => void act(stopChaos, operatorTexts.events.chaosStopped)}
            sx={{ my: -0.5 }}
          >
            {texts.stop}
          </Button>
        )
      }
    >
      {/* Kept while a chaos runs, for the next one with the same or another seed. */}
      <Box sx={{ display: isRunning ? 'none' : 'block' }}>
        <Typography variant="body2" sx={{ color: 'text.secondary', mb: 1.5 }}>
          {texts.intro}
        </Typography>
        <ChaosForm />
      </Box>
      {data !== undefined && data.state !== 'none' && <Progress chaos={data} />}
    </Panel>
  );
}

function ChaosForm() {
  const act = useAct();
  const [schedule, setSchedule] = useState<Schedule>('chance');
  const [minutes, setMinutes] = useState('3');
  const [seed, setSeed] = useState('');
  const [checked, setChecked] = useState(false);
  const length = /^\d{1,5}$/.test(minutes.trim()) ? Number(minutes) : 0;
  const wrongMinutes = !(length > 0 && length <= MINUTES_MAX);
  const wrongSeed = !/^\d{0,15}$/.test(seed.trim());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (wrongMinutes || wrongSeed) return;
    const request = {
      minutes: length,
      ...(schedule !== 'chance' && { scenario: schedule }),
      ...(seed.trim() !== '' && { seed: Number(seed) }),
    };
    void act(() => startChaos(request), operatorTexts.events.chaosStarted);
  };
  return (
    <Box
      component="form"
      noValidate
      onSubmit={submit}
      sx={{
        display: 'grid',
        gridTemplateColumns: { xs: '1fr 1fr', sm: '1.600fr 0.800fr 1fr auto' },
        gap: 1,
        rowGap: 1.5,
        alignItems: 'start',
      }}
    >
      <TextField
        select
        size="small"
        label={texts.schedule}
        value={schedule}
        onChange={(event) => setSchedule(event.target.value as Schedule)}
        sx={{ gridColumn: { xs: '1 / -1', sm: 'auto' } }}
      >
        {SCHEDULES.map((name) => (
          <MenuItem key={name} value={name} dense>
            {texts.schedules[name]}
          </MenuItem>
        ))}
      </TextField>
      <TextField
        size="small"
        label={texts.minutes}
        value={minutes}
        onChange={(event) => setMinutes(event.target.value)}
        error={checked && wrongMinutes}
        helperText={checked && wrongMinutes ? texts.wrongMinutes(MINUTES_MAX) : undefined}
        slotProps={{ htmlInput: { inputMode: 'numeric' } }}
      />
      <TextField
        size="small"
        label={texts.seed}
        placeholder={texts.seedHint}
        value={seed}
        onChange={(event) => setSeed(event.target.value)}
        error={checked && wrongSeed}
        helperText={checked && wrongSeed ? texts.wrongSeed : undefined}
        slotProps={{ htmlInput: { inputMode: 'numeric' } }}
      />
      <Button
        type="submit"
        variant="contained"
        color="error"
        disableElevation
        sx={{ py: 0.95, whiteSpace: 'nowrap', gridColumn: { xs: '1 / -1', sm: 'auto' } }}
      >
        {texts.start}
      </Button>
    </Box>
  );
}

function Progress({ chaos }: { chaos: ChaosInfo }) {
  const { state, seed, faults = [], elapsed_ms: elapsed = 0, verdict, why } = chaos;
  const words =
    state === 'running' || state === 'none' ? texts.running(formatDuration(elapsed)) : texts[state];
  return (
    <Box data-testid="chaos" data-state={state} sx={{ mt: state === 'running' ? 0 : 2 }}>
      <Typography variant="body2" role="status" sx={{ fontWeight: 600 }}>
        {words}
        {seed != null && (
          <Box component="span" sx={{ color: 'text.secondary', fontWeight: 400, ml: 1 }}>
            {texts.ofSeed(seed)}
          </Box>
        )}
      </Typography>
      {faults.length === 0 ? (
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {texts.noFaults}
        </Typography>
      ) : (
        <FaultPlan faults={faults} elapsedMs={elapsed} />
      )}
      {why != null && <Typography variant="body2">{why}</Typography>}
      {verdict != null && (
        <Box sx={{ mt: 1.5 }}>
          <VerdictTable verdict={verdict} />
        </Box>
      )}
    </Box>
  );
}
