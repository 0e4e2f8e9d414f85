import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { laboratoryQuery } from '../../api/operator-queries';
import { runsQuery } from '../../api/queries';
import { formatClock } from '../../ui/format';
import { operatorTexts as texts } from '../../ui/texts-operator';
import { useExpiry } from '../session/use-operator';
import { AuditPanel } from './audit-panel';
import { ChaosPanel } from './chaos-panel';
import { Diagram } from './diagram';
import { EventsPanel } from './events-panel';
import { GrowthPanel } from './growth-panel';
import { useHistory } from './history';
import { PeoplePanel } from './people-panel';

const stack = { display: 'grid', gap: 2, minWidth: 0 } as const;

interface OperatorViewProps {
  /** The run on the map. */
  run: string | undefined;
}

/** The operator's laboratory: the parts alive, what can be done to them, and what came of it. */
export default function OperatorView({ run }: OperatorViewProps) {
  const { data: info, error, isError, failureCount, dataUpdatedAt } = useQuery(laboratoryQuery);
  const { data: runs = [] } = useQuery(runsQuery);
  const isExpired = useExpiry();
  useEffect(() => {
    if (info !== undefined) useHistory.getState().take(info);
  }, [info]);
  useEffect(() => {
    if (isError) isExpired(error);
  }, [isError, error, isExpired]);
  const away = failureCount > 1;
  return (
    <>
      <Box sx={{ mb: 2 }}>
        <Typography variant="h2" sx={{ fontSize: '1.35rem', letterSpacing: '-0.01em' }}>
          {texts.heading}
        </Typography>
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {texts.intro}
        </Typography>
      </Box>
      {away && info !== undefined && (
        <Alert severity="warning" variant="outlined" sx={{ mb: 2 }}>
          {texts.away(formatClock(dataUpdatedAt))}
        </Alert>
      )}
      {info === undefined && (
        <Typography role="status" sx={{ py: 8, textAlign: 'center', color: 'text.secondary' }}>
          {texts.loading}
        </Typography>
      )}
      {info !== undefined && (
        <Box sx={{ display: 'grid', gap: 2 }}>
          <Box sx={{ filter: away ? 'grayscale(1)' : 'none', opacity: away ? 0.6 : 1 }}>
            {info.parts.length === 0 ? <Typography>{texts.nothing}</Typography> : <Diagram info={info} />}
          </Box>
          <Box
            sx={{
              display: 'grid',
              gap: 2,
              alignItems: 'start',
              gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: 'minmax(0, 1fr) minmax(0, 1fr)' },
            }}
          >
            <Box sx={stack}>
              <GrowthPanel />
              <ChaosPanel />
            </Box>
            <Box sx={stack}>
              <PeoplePanel runs={info.runs} />
              <AuditPanel runs={runs} run={run} />
              <EventsPanel />
            </Box>
          </Box>
        </Box>
      )}
    </>
  );
}
