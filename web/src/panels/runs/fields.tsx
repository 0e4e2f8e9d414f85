import Box from '@mui/material/Box';
import FormControlLabel from '@mui/material/FormControlLabel';
import IconButton from '@mui/material/IconButton';
import InputAdornment from '@mui/material/InputAdornment';
import MenuItem from '@mui/material/MenuItem';
import Switch from '@mui/material/Switch';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useId } from 'react';
import type { ParameterInfo, ParameterValue } from '../../api/operator';
import { Icon } from '../../ui/icons';
import { runTexts } from '../../ui/texts-runs';

const texts = runTexts.form;

/** A parameter's name as people read it. */
export function titleOf(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

interface TextFieldProps {
  /** Its name in what is sent; where complaints go. */
  name: string;
  label: string;
  value: string;
  hint?: string;
  wrong: string | undefined;
  onChange(text: string): void;
  unit?: string;
  /** A number, which phones show other keys for. */
  numeric?: boolean;
  /** What holds without a change, when there is one; a button brings it back. */
  otherwise?: string | undefined;
}

export function TypedField(props: TextFieldProps) {
  const { name, label, value, hint, wrong, onChange, unit = '', numeric = true, otherwise } = props;
  return (
    <TextField
      fullWidth
      size="small"
      label={label}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      error={wrong !== undefined}
      helperText={wrong ?? hint}
      slotProps={{
        htmlInput: { 'data-field': name, ...(numeric && { inputMode: 'decimal' }) },
        input: {
          endAdornment: (
            <InputAdornment position="end">
              <Typography component="span" variant="caption" sx={{ color: 'text.secondary' }}>
                {unit}
              </Typography>
              {otherwise !== undefined && (
                <IconButton
                  size="small"
                  edge="end"
                  title={texts.changedFrom(otherwise)}
                  aria-label={`${label}, ${texts.changedFrom(otherwise)}`}
                  onClick={() => onChange(otherwise)}
                >
                  <Icon name="replay" sx={{ fontSize: 16 }} />
                </IconButton>
              )}
            </InputAdornment>
          ),
        },
        formHelperText: { sx: { mx: 0.25, lineHeight: 1.35 } },
      }}
      sx={
        otherwise === undefined
          ? {}
          : { '& .MuiOutlinedInput-notchedOutline': { borderColor: 'primary.main' } }
      }
    />
  );
}

interface ParameterFieldProps {
  info: ParameterInfo;
  value: string | boolean | undefined;
  /** What holds without a change. */
  otherwise: ParameterValue | undefined;
  wrong: string | undefined;
  onChange(value: string | boolean): void;
}

/** A field for one row of the server's table of parameters. */
export function ParameterField({ info, value, otherwise, wrong, onChange }: ParameterFieldProps) {
  if (info.kind === 'switch')
    return <YesOrNo info={info} on={value === true} onChange={onChange} changed={value !== otherwise} />;
  if (info.kind === 'choice')
    return (
      <TextField
        select
        fullWidth
        size="small"
        label={titleOf(info.name)}
        value={String(value)}
        onChange={(event) => onChange(event.target.value)}
        error={wrong !== undefined}
        helperText={wrong ?? info.help}
        slotProps={{ formHelperText: { sx: { mx: 0.25, lineHeight: 1.35 } } }}
      >
        {info.choices?.map((choice) => (
          <MenuItem key={choice} value={choice} dense>
            {titleOf(choice)}
          </MenuItem>
        ))}
      </TextField>
    );
  const text = String(value ?? '');
  const changed = Number(text.trim().replace(',', '.')) !== otherwise || text.trim() === '';
  return (
    <TypedField
      name={info.name}
      label={titleOf(info.name)}
      value={text}
      hint={info.help}
      unit={info.unit}
      wrong={wrong}
      onChange={onChange}
      otherwise={changed && otherwise !== undefined ? String(otherwise) : undefined}
    />
  );
}

function YesOrNo({
  info,
  on,
  changed,
  onChange,
}: {
  info: ParameterInfo;
  on: boolean;
  changed: boolean;
  onChange(on: boolean): void;
}) {
  const id = useId();
  return (
    <Box
      sx={{
        border: 1,
        borderColor: changed ? 'primary.main' : 'divider',
        borderRadius: 1,
        px: 1.5,
        py: 0.25,
        alignSelf: 'start',
      }}
    >
      <FormControlLabel
        control={
          <Switch
            size="small"
            checked={on}
            onChange={(_, checked) => onChange(checked)}
            slotProps={{ input: { 'aria-describedby': id } }}
          />
        }
        label={titleOf(info.name)}
        labelPlacement="start"
        slotProps={{ typography: { variant: 'body2' } }}
        sx={{ m: 0, width: '100%', justifyContent: 'space-between' }}
      />
      <Typography id={id} variant="caption" sx={{ display: 'block', color: 'text.secondary', pb: 0.5 }}>
        {info.help}
      </Typography>
    </Box>
  );
}
