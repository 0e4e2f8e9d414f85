import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { ParameterInfo, ParameterValue } from '../../api/operator';
import { runTexts } from '../../ui/texts-runs';
import { ParameterField } from './fields';
import { differing, type RunForm, type Wrong } from './form-model';

/** The parameters that the paper has; the others wait below them. */
const PAPER: ReadonlySet<string> = new Set([
  ...['field_width', 'field_height', 'scale_factor', 'zombie_lifetime'],
  ...['infection_radius', 'infection_cooldown', 'move_when_infected'],
]);

interface ParameterFieldsProps {
  infos: readonly ParameterInfo[];
  typed: RunForm['parameters'];
  /** What holds where nothing is changed. */
  otherwise: Record<string, ParameterValue>;
  wrong: Wrong;
  onChange(name: string, value: string | boolean): void;
}

/** A field for each parameter of a run, the paper's first. */
export function ParameterFields({ infos, typed, otherwise, wrong, onChange }: ParameterFieldsProps) {
  const paper = infos.filter(({ name }) => PAPER.has(name));
  const beyond = infos.filter(({ name }) => !PAPER.has(name));
  const changed = Object.keys(differing(infos, typed, otherwise)).length;
  const isOpen = beyond.some(({ name }) => wrong[name] !== undefined);
  const fields = (of: readonly ParameterInfo[]) => (
    <Box sx={{ display: 'grid', gap: 1.75, gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr' }, pt: 1.5 }}>
      {of.map((info) => (
        <ParameterField
          key={info.name}
          info={info}
          value={typed[info.name]}
          otherwise={otherwise[info.name]}
          wrong={wrong[info.name]}
          onChange={(value) => onChange(info.name, value)}
        />
      ))}
    </Box>
  );
  return (
    <Box component="section" aria-labelledby="parameters-heading">
      <Box sx={{ display: 'flex', justifyContent: 'space-between', alignItems: 'baseline' }}>
        <Typography id="parameters-heading" variant="h2" component="h3" sx={{ color: 'text.secondary' }}>
          {runTexts.form.parameters}
        </Typography>
        <Typography variant="caption" sx={{ color: 'text.secondary' }}>
          {changed > 0 && runTexts.form.changed(changed)}
        </Typography>
      </Box>
      {fields(paper)}
      {beyond.length > 0 && (
        <Box
          component="details"
          {...(isOpen && { open: true })}
          sx={{ mt: 1.5, '& summary': { cursor: 'pointer', fontSize: '0.84rem', py: 0.75, borderRadius: 1 } }}
        >
          <summary>
            {runTexts.form.beyond} ({beyond.length})
          </summary>
          {fields(beyond)}
        </Box>
      )}
    </Box>
  );
}
