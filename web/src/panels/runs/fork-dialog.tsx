import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Run } from '../../api/client';
import { forkRun, type Scenarios } from '../../api/operator';
import { scenariosQuery } from '../../api/operator-queries';
import { formatDuration } from '../../ui/format';
import { runTexts } from '../../ui/texts-runs';
import { useNotice } from '../session/notice';
import { TypedField } from './fields';
import { FormDialog } from './form-dialog';
import { checkFork, type ForkForm, forkRequestOf, NAME_MAX, parametersOfRun, valuesOf } from './form-model';
import { ParameterFields } from './parameter-fields';
import { useSubmit } from './use-submit';

const texts = runTexts.fork;

interface ForkDialogProps {
  run: Run;
  /** The second of the run to fork from, to begin with. */
  tick: number;
  onClose(): void;
  /** Told of the run that starts. */
  onStarted(run: string): void;
}

/** Goes on from a second of a fleet's run, with other parameters. */
export default function ForkDialog(props: ForkDialogProps) {
  const { data, isError } = useQuery(scenariosQuery);
  if (data !== undefined) return <Loaded schema={data} {...props} />;
  return (
    <FormDialog
      heading={texts.heading(props.run.name)}
      go={texts.go}
      busy
      trouble={isError ? runTexts.form.failed : undefined}
      wrong={{}}
      onSubmit={() => {}}
      onClose={props.onClose}
    >
      {!isError && <Typography role="status">{runTexts.form.loading}</Typography>}
    </FormDialog>
  );
}

function Loaded({ schema, run, tick, onClose, onStarted }: ForkDialogProps & { schema: Scenarios }) {
  const infos = schema.parameters;
  // The second in view is there, although a run that goes on may have told its length a while ago.
  const lastTick = Math.max(0, tick, run.moments - 1);
  const [form, setForm] = useState<ForkForm>(() => ({
    tick: String(Math.max(0, tick)),
    name: `${run.name}, forked`.slice(0, NAME_MAX),
    seed: '',
    parameters: parametersOfRun(infos, run.parameters),
  }));
  const { busy, wrong, trouble, mended, submit } = useSubmit();
  const send = async () => {
    const { run: forked } = await forkRun(run.id, forkRequestOf(form, infos, run.parameters));
    useNotice.getState().tell(runTexts.acts.forked(run.name));
    onStarted(forked);
    onClose();
  };
  const field = (name: 'tick' | 'name' | 'seed') => ({
    name,
    value: form[name],
    wrong: wrong[name],
    onChange: (text: string) => {
      mended(name);
      setForm((before) => ({ ...before, [name]: text }));
    },
  });
  return (
    <FormDialog
      heading={texts.heading(run.name)}
      go={texts.go}
      busy={busy}
      trouble={trouble}
      wrong={wrong}
      onSubmit={() => void submit(checkFork(form, infos, lastTick), send)}
      onClose={onClose}
    >
      <Typography variant="body2" sx={{ color: 'text.secondary' }}>
        {texts.intro}
      </Typography>
      <Box sx={{ display: 'grid', gap: 1.75, gridTemplateColumns: { xs: '1fr', sm: '1fr 2fr 1fr' } }}>
        <TypedField
          label={texts.tick}
          hint={texts.tickHint(formatDuration(run.last_ms - run.started_ms))}
          unit="s"
          {...field('tick')}
        />
        <TypedField label={runTexts.form.name} numeric={false} {...field('name')} />
        <TypedField label={runTexts.form.seed} hint={texts.seedHint} {...field('seed')} />
      </Box>
      <ParameterFields
        infos={infos}
        typed={form.parameters}
        otherwise={valuesOf(infos, run.parameters)}
        wrong={wrong}
        onChange={(name, value) => {
          mended(name);
          setForm((before) => ({ ...before, parameters: { ...before.parameters, [name]: value } }));
        }}
      />
    </FormDialog>
  );
}
