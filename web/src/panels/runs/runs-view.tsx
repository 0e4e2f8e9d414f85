import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import type { Run } from '../../api/client';
import { stopRun } from '../../api/operator';
import { laboratoryQuery } from '../../api/operator-queries';
import { runsQuery } from '../../api/queries';
import { COMPARED_MAX, useChoices } from '../../ui/choices';
import { Icon } from '../../ui/icons';
import { runTexts } from '../../ui/texts-runs';
import { useNotice } from '../session/notice';
import { useExpiry, useOperator } from '../session/use-operator';
import { CompareView } from './compare/compare-view';
import { RemoveDialog } from './remove-dialog';
import { stateOf } from './run-facts';
import type { RunAct } from './run-menu';
import { RunTable } from './run-table';

const RunFormDialog = lazy(() => import('./run-form'));
const ForkDialog = lazy(() => import('./fork-dialog'));

interface RunsViewProps {
  /** The run on the map. */
  run: string | undefined;
  onChoose(run: string): void;
  /** Told of a run that starts. */
  onStarted(run: string): void;
}

/** All runs: open, start, stop, fork, compare, take along, delete. */
export default function RunsView({ run, onChoose, onStarted }: RunsViewProps) {
  const comparing = useChoices((choices) => choices.comparing);
  return comparing ? (
    <CompareView onChoose={onChoose} />
  ) : (
    <RunList run={run} onChoose={onChoose} onStarted={onStarted} />
  );
}

function RunList({ run: shown, onChoose, onStarted }: RunsViewProps) {
  const { data: runs } = useQuery(runsQuery);
  const { hasLaboratory } = useOperator();
  const { data: laboratory } = useQuery({
    ...laboratoryQuery,
    enabled: hasLaboratory,
    refetchInterval: 3000,
  });
  const [starting, setStarting] = useState(false);
  const [asked, setAsked] = useState<{ run: Run; act: 'fork' | 'remove' }>();
  const { stop, removed } = useRunActs();
  const act = (run: Run, what: RunAct) => {
    if (what === 'open') onChoose(run.id);
    else if (what === 'stop') void stop(run);
    else setAsked({ run, act: what });
  };
  const close = () => setAsked(undefined);
  return (
    <>
      <Top operator={hasLaboratory} onStart={() => setStarting(true)} />
      <Box
        sx={{
          bgcolor: 'background.paper',
          border: 1,
          borderColor: 'divider',
          borderRadius: 1,
          px: { xs: 1, md: 0 },
        }}
      >
        {runs === undefined ? (
          <Empty text={runTexts.loading} />
        ) : runs.length === 0 ? (
          <Empty text={runTexts.none} hint={hasLaboratory ? runTexts.noneHintOperator : runTexts.noneHint} />
        ) : (
          <RunTable
            runs={runs}
            shown={shown}
            stateOf={(run) => stateOf(run, laboratory?.runs, laboratory?.now_ms ?? Date.now())}
            onAct={act}
          />
        )}
      </Box>
      {(runs?.length ?? 0) > 1 && (
        <Typography variant="caption" component="p" sx={{ color: 'text.secondary', m: 0, mt: 1 }}>
          {runTexts.compareHint(COMPARED_MAX)}
        </Typography>
      )}
      <Suspense>
        {starting && <RunFormDialog onClose={() => setStarting(false)} onStarted={onStarted} />}
        {asked?.act === 'fork' && (
          <ForkDialog run={asked.run} tick={asked.run.moments - 1} onClose={close} onStarted={onStarted} />
        )}
      </Suspense>
      {asked?.act === 'remove' && (
        <RemoveDialog
          run={asked.run}
          onClose={close}
          onRemoved={() => {
            close();
            removed(asked.run);
          }}
        />
      )}
    </>
  );
}

/** What the operator does to a run, and what is said of it. */
function useRunActs() {
  const client = useQueryClient();
  const tell = useNotice((notice) => notice.tell);
  const isExpired = useExpiry();
  const again = () => void client.invalidateQueries({ queryKey: runsQuery.queryKey });
  return {
    stop: async (run: Run) => {
      try {
        await stopRun(run.id);
        tell(runTexts.acts.stopped(run.name));
        again();
      } catch (error) {
        if (!isExpired(error)) tell(runTexts.acts.failed(run.name));
      }
    },
    removed: (run: Run) => {
      const { compared, set } = useChoices.getState();
      set({ compared: compared.filter((id) => id !== run.id) });
      tell(runTexts.acts.deleted(run.name));
      again();
    },
  };
}

function Top({ operator, onStart }: { operator: boolean; onStart(): void }) {
  const { compared, set } = useChoices();
  return (
    <Box sx={{ display: 'flex', alignItems: 'end', gap: 1, flexWrap: 'wrap', mb: 2 }}>
      <Box sx={{ mr: 'auto' }}>
        <Typography variant="h2" sx={{ fontSize: '1.35rem', letterSpacing: '-0.01em' }}>
          {runTexts.heading}
        </Typography>
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {operator ? runTexts.introOperator : runTexts.intro}
        </Typography>
      </Box>
      <Button variant="outlined" disabled={compared.length < 2} onClick={() => set({ comparing: true })}>
        {runTexts.compare(compared.length)}
      </Button>
      {operator && (
        <Button variant="contained" disableElevation onClick={onStart} startIcon={<Icon name="plus" />}>
          {runTexts.start}
        </Button>
      )}
    </Box>
  );
}

function Empty({ text, hint }: { text: string; hint?: string }) {
  return (
    <Box role="status" sx={{ py: 8, px: 2, textAlign: 'center' }}>
      <Typography sx={{ fontWeight: 600 }}>{text}</Typography>
      {hint !== undefined && (
        <Typography variant="body2" sx={{ color: 'text.secondary', mt: 0.5 }}>
          {hint}
        </Typography>
      )}
    </Box>
  );
}
