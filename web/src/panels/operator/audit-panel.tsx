import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import LinearProgress from '@mui/material/LinearProgress';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { startAudit } from '../../api/operator';
import { auditQuery } from '../../api/operator-queries';
import { Panel } from '../../ui/panel';
import { operatorTexts } from '../../ui/texts-operator';
import { useAct } from './use-act';
import { VerdictTable } from './verdict';

const texts = operatorTexts.audit;

interface AuditPanelProps {
  runs: readonly { id: string; name: string }[];
  /** The run on the map. */
  run: string | undefined;
}

/** Lets the auditor compare what was recorded with what is stored. */
export function AuditPanel({ runs, run }: AuditPanelProps) {
  const act = useAct();
  const { data } = useQuery(auditQuery);
  const [chosen, setChosen] = useState('');
  const known = (id: string | undefined) => runs.find((one) => one.id === id);
  const of = known(chosen)?.id ?? known(run)?.id ?? runs[0]?.id;
  const isRunning = data?.state === 'running';
  return (
    <Panel heading={texts.heading}>
      <Typography variant="body2" sx={{ color: 'text.secondary', mb: 1.5 }}>
        {texts.intro}
      </Typography>
      <Box sx={{ display: 'flex', gap: 1, mb: 1.5 }}>
        <TextField
          select
          fullWidth
          size="small"
          label={texts.run}
          value={of ?? ''}
          onChange={(event) => setChosen(event.target.value)}
        >
          {runs.map(({ id, name }) => (
            <MenuItem key={id} value={id} dense>
              {name}
            </MenuItem>
          ))}
        </TextField>
        <Button
          variant="contained"
          disableElevation
          disabled={of === undefined || isRunning}
          onClick={() =>
            of !== undefined && void act(() => startAudit(of), operatorTexts.events.auditStarted)
          }
        >
          {texts.start}
        </Button>
      </Box>
      <Box aria-live="polite">
        {isRunning && (
          <>
            <Typography variant="body2">{texts.running}</Typography>
            <LinearProgress aria-label={texts.running} sx={{ mt: 1, borderRadius: 1 }} />
          </>
        )}
        {data?.state === 'none' && (
          <Typography variant="body2" sx={{ color: 'text.secondary' }}>
            {texts.none}
          </Typography>
        )}
        {data?.state === 'failed' && <Typography variant="body2">{data.why ?? texts.failed}</Typography>}
        {data?.state === 'done' && data.verdict != null && (
          <>
            <Typography variant="caption" component="p" sx={{ color: 'text.secondary', m: 0, mb: 0.5 }}>
              {known(data.run)?.name ?? data.run?.slice(0, 8)}
            </Typography>
            <VerdictTable verdict={data.verdict} />
          </>
        )}
      </Box>
    </Panel>
  );
}
