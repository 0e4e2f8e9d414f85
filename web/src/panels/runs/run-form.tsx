import Box from '@mui/material/Box';
import ToggleButton from '@mui/material/ToggleButton';
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup';
import Typography from '@mui/material/Typography';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Scenario, type Scenarios, startRun } from '../../api/operator';
import { scenariosQuery } from '../../api/operator-queries';
import { formatCount } from '../../ui/format';
import { runTexts } from '../../ui/texts-runs';
import { useNotice } from '../session/notice';
import { TypedField } from './fields';
import { FormDialog } from './form-dialog';
import { check, filledIn, type RunForm, requestOf, valuesOf } from './form-model';
import { ParameterFields } from './parameter-fields';
import { useSubmit } from './use-submit';

const texts = runTexts.form;
const KINDS = ['nodes', 'fleet'] as const;

interface RunFormProps {
  onClose(): void;
  /** Told of the run that starts. */
  onStarted(run: string): void;
}

/** Starts a run from a scenario. */
export default function RunFormDialog(props: RunFormProps) {
  const { data, isError } = useQuery(scenariosQuery);
  if (data !== undefined) return <Loaded schema={data} {...props} />;
  return (
    <FormDialog
      heading={texts.heading}
      go={texts.start}
      busy
      trouble={isError ? texts.failed : undefined}
      wrong={{}}
      onSubmit={() => {}}
      onClose={props.onClose}
    >
      {!isError && <Typography role="status">{texts.loading}</Typography>}
    </FormDialog>
  );
}

function Loaded({ schema, onClose, onStarted }: RunFormProps & { schema: Scenarios }) {
  const [form, setForm] = useState(() => filledIn(schema, schema.scenarios[0]));
  const { busy, wrong, trouble, mended, submit } = useSubmit();
  const scenario = schema.scenarios.find(({ name }) => name === form.scenario);
  const change = (name: keyof RunForm, value: string) => {
    mended(name);
    setForm((before) => ({ ...before, [name]: value }));
  };
  const send = async () => {
    const { run } = await startRun(requestOf(form, schema));
    useNotice.getState().tell(runTexts.starting(form.name));
    onStarted(run);
    onClose();
  };
  const field = (name: 'name' | 'people' | 'infected' | 'seed' | 'speed') => ({
    name,
    value: form[name],
    wrong: wrong[name],
    onChange: (text: string) => change(name, text),
  });
  return (
    <FormDialog
      heading={texts.heading}
      go={texts.start}
      busy={busy}
      trouble={trouble}
      wrong={wrong}
      onSubmit={() => void submit(check(form, schema), send)}
      onClose={onClose}
    >
      <ScenarioChoice
        scenarios={schema.scenarios}
        chosen={form.scenario}
        onChoose={(chosen) => setForm((before) => filledIn(schema, chosen, before))}
      />
      <KindChoice kind={form.kind} onChange={(kind) => setForm((before) => ({ ...before, kind }))} />
      <Box
        sx={{
          display: 'grid',
          gap: 1.75,
          gridTemplateColumns: { xs: '1fr 1fr', sm: '2fr 1fr 1fr' },
          pt: 0.5,
        }}
      >
        <Box sx={{ gridColumn: { xs: '1 / -1', sm: 'auto' } }}>
          <TypedField label={texts.name} hint={texts.nameHint} numeric={false} {...field('name')} />
        </Box>
        <TypedField label={texts.people} {...field('people')} />
        <TypedField label={texts.infected} {...field('infected')} />
        <Box sx={{ gridColumn: { xs: '1 / -1', sm: form.kind === 'fleet' ? 'auto' : '1 / -1' } }}>
          <TypedField label={texts.seed} hint={texts.seedHint} {...field('seed')} />
        </Box>
        {form.kind === 'fleet' && (
          <Box sx={{ gridColumn: { xs: '1 / -1', sm: '2 / -1' } }}>
            <TypedField
              label={texts.speed}
              hint={texts.speedHint(String(schema.speed.min), formatCount(schema.speed.max))}
              unit="×"
              {...field('speed')}
            />
          </Box>
        )}
      </Box>
      <ParameterFields
        infos={schema.parameters}
        typed={form.parameters}
        otherwise={valuesOf(schema.parameters, scenario?.parameters ?? {})}
        wrong={wrong}
        onChange={(name, value) => {
          mended(name);
          setForm((before) => ({ ...before, parameters: { ...before.parameters, [name]: value } }));
        }}
      />
    </FormDialog>
  );
}

interface ScenarioChoiceProps {
  scenarios: readonly Scenario[];
  chosen: string;
  onChoose(scenario: Scenario): void;
}

function ScenarioChoice({ scenarios, chosen, onChoose }: ScenarioChoiceProps) {
  return (
    <Box component="fieldset" sx={{ border: 0, p: 0, m: 0, minWidth: 0 }}>
      <Typography component="legend" variant="h2" sx={{ color: 'text.secondary', p: 0, mb: 0.25 }}>
        {texts.scenario}
      </Typography>
      <Typography variant="caption" component="p" sx={{ color: 'text.secondary', m: 0, mb: 1 }}>
        {texts.scenarioHint}
      </Typography>
      <Box sx={{ display: 'grid', gap: 1, gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr' } }}>
        {scenarios.map((scenario) => (
          <Box
            key={scenario.name}
            component="label"
            sx={{
              display: 'grid',
              gridTemplateColumns: 'auto 1fr',
              columnGap: 1.25,
              alignContent: 'start',
              p: 1.25,
              border: 1,
              borderRadius: 1,
              cursor: 'pointer',
              borderColor: scenario.name === chosen ? 'primary.main' : 'divider',
              boxShadow: (theme) =>
                scenario.name === chosen ? `inset 0 0 0 1px ${theme.vars?.palette.primary.main}` : 'none',
              '&:focus-within': { outline: '2px solid', outlineColor: 'primary.main', outlineOffset: 2 },
            }}
          >
            <Box
              component="input"
              type="radio"
              name="scenario"
              value={scenario.name}
              checked={scenario.name === chosen}
              onChange={() => onChoose(scenario)}
              sx={{ m: 0, mt: 0.4, accentColor: 'currentColor' }}
            />
            <Typography variant="body2" sx={{ fontWeight: 600 }}>
              {scenario.name}
            </Typography>
            <Typography variant="caption" sx={{ gridColumn: 2, color: 'text.secondary', lineHeight: 1.4 }}>
              {scenario.about}
            </Typography>
          </Box>
        ))}
      </Box>
    </Box>
  );
}

function KindChoice({ kind, onChange }: { kind: RunForm['kind']; onChange(kind: RunForm['kind']): void }) {
  return (
    <Box sx={{ display: 'flex', alignItems: 'center', gap: 1.5, flexWrap: 'wrap' }}>
      <ToggleButtonGroup
        exclusive
        size="small"
        value={kind}
        onChange={(_, value: RunForm['kind'] | null) => value !== null && onChange(value)}
        aria-label={texts.kind}
        sx={{ '& .MuiToggleButton-root': { px: 2, py: 0.5, textTransform: 'none' } }}
      >
        {KINDS.map((name) => (
          <ToggleButton key={name} value={name}>
            {runTexts.kinds[name]}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
      <Typography variant="body2" sx={{ color: 'text.secondary' }}>
        {runTexts.kindHints[kind]}
      </Typography>
    </Box>
  );
}
