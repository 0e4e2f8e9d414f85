import MenuItem from '@mui/material/MenuItem';
import Select from '@mui/material/Select';
import Typography from '@mui/material/Typography';
import { useQuery } from '@tanstack/react-query';
import { runsQuery } from '../api/queries';
import { formatCount, formatDate } from '../ui/format';
import { texts } from '../ui/texts';

interface RunChooserProps {
  run: string | undefined;
  onChoose(run: string): void;
}

/** Which run is on show; newest first. */
export function RunChooser({ run, onChoose }: RunChooserProps) {
  const { data: runs = [] } = useQuery(runsQuery);
  const known = runs.some(({ id }) => id === run);
  return (
    <Select
      size="small"
      value={known ? run : ''}
      displayEmpty
      disabled={runs.length === 0}
      onChange={(event) => onChoose(event.target.value as string)}
      renderValue={(id) => runs.find((r) => r.id === id)?.name ?? texts.runs.none}
      inputProps={{ 'aria-label': texts.runs.label }}
      sx={{
        minWidth: { xs: 92, sm: 160 },
        maxWidth: { xs: 136, sm: 240 },
        fontSize: '0.875rem',
        '& .MuiSelect-select': { py: 0.75 },
      }}
    >
      {runs.map(({ id, name, nodes, started_ms }) => (
        <MenuItem key={id} value={id} dense sx={{ display: 'grid', maxWidth: 420, whiteSpace: 'normal' }}>
          <Typography component="span" variant="body2" sx={{ overflowWrap: 'anywhere' }}>
            {name}
          </Typography>
          <Typography variant="caption" sx={{ color: 'text.secondary' }}>
            {formatDate(started_ms)} · {formatCount(nodes)} {texts.runs.people}
          </Typography>
        </MenuItem>
      ))}
    </Select>
  );
}
