import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { type FormEvent, useState } from 'react';
import { addPeople, type LaboratoryRun } from '../../api/operator';
import { Panel } from '../../ui/panel';
import { operatorTexts } from '../../ui/texts-operator';
import { useAct } from './use-act';

const texts = operatorTexts.people;
/** More at once than this machine's radio should be asked to carry. */
const ADDED_MAX = 100;

interface PeoplePanelProps {
  runs: readonly LaboratoryRun[];
}

/** Adds people with a radio to a run that goes on; infected ones, too. */
export function PeoplePanel({ runs }: PeoplePanelProps) {
  const act = useAct();
  const open = runs.filter(({ kind, state }) => kind === 'nodes' && state === 'running');
  const [chosen, setChosen] = useState('');
  const [count, setCount] = useState('5');
  const [infected, setInfected] = useState('0');
  const [checked, setChecked] = useState(false);
  const run = open.find((one) => one.run === chosen)?.run ?? open[0]?.run;
  const whole = (text: string) => (/^\d{1,6}$/.test(text.trim()) ? Number(text) : Number.NaN);
  const [n, ill] = [whole(count), whole(infected)];
  const wrongCount = !(n >= 1 && n <= ADDED_MAX);
  const wrongInfected = !(ill >= 0 && (wrongCount || ill <= n));
  const add = (people: { count: number; infected: number }) =>
    run !== undefined && act(() => addPeople({ run, ...people }), texts.added(people.count, people.infected));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (!wrongCount && !wrongInfected) void add({ count: n, infected: ill });
  };
  return (
    <Panel heading={texts.heading}>
      {run === undefined ? (
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {texts.none}
        </Typography>
      ) : (
        <Box component="form" onSubmit={submit} noValidate sx={{ display: 'grid', gap: 1.5, pt: 0.75 }}>
          {open.length > 1 && (
            <TextField
              select
              size="small"
              label={texts.run}
              value={run}
              onChange={(event) => setChosen(event.target.value)}
            >
              {open.map((one) => (
                <MenuItem key={one.run} value={one.run} dense>
                  {one.name}
                </MenuItem>
              ))}
            </TextField>
          )}
          <Box sx={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 1.5 }}>
            <TextField
              size="small"
              label={texts.count}
              value={count}
              onChange={(event) => setCount(event.target.value)}
              error={checked && wrongCount}
              helperText={checked && wrongCount ? texts.wrongCount(ADDED_MAX) : undefined}
              slotProps={{ htmlInput: { inputMode: 'numeric' } }}
            />
            <TextField
              size="small"
              label={texts.infected}
              value={infected}
              onChange={(event) => setInfected(event.target.value)}
              error={checked && wrongInfected}
              helperText={checked && wrongInfected ? texts.wrongInfected : undefined}
              slotProps={{ htmlInput: { inputMode: 'numeric' } }}
            />
          </Box>
          <Box sx={{ display: 'flex', gap: 1 }}>
            <Button type="submit" size="small" variant="contained" disableElevation>
              {texts.add}
            </Button>
            <Button
              size="small"
              variant="outlined"
              color="error"
              onClick={() => void add({ count: 1, infected: 1 })}
            >
              {texts.infect}
            </Button>
          </Box>
        </Box>
      )}
    </Panel>
  );
}
