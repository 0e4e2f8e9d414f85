import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Snackbar from '@mui/material/Snackbar';
import { lazy, Suspense, useCallback, useEffect, useState } from 'react';
import { useMapHandle } from '../map/handle';
import { LoadingPicture } from '../map/waiting';
import { Connection } from '../panels/connection';
import { HelpDialog } from '../panels/help-dialog';
import { RunChooser } from '../panels/run-chooser';
import { Notice } from '../panels/session/notice';
import { useTokenOfLink } from '../panels/session/operator-button';
import { useOperator } from '../panels/session/use-operator';
import { ShareButton } from '../panels/share-button';
import { useChoices } from '../ui/choices';
import { SessionProvider, useSessionState } from '../ui/session-context';
import { texts } from '../ui/texts';
import type { Address } from './address';
import { Header } from './header';
import { MapPage } from './map-page';
import { Nav } from './nav';
import { OperatorPage } from './operator-page';
import { exposeForTests } from './test-hook';
import { useAddress } from './use-address';
import { useExpectedRun } from './use-expected-run';
import { useKeys } from './use-keys';
import { useRun } from './use-run';
import { ViewFrame, ViewLoading } from './view-frame';

/** Few visitors ask for these: they are loaded when asked for. */
const RunsView = lazy(() => import('../panels/runs/runs-view'));
const Watch = lazy(() => import('../panels/operator/watch'));
const ForkDialog = lazy(() => import('../panels/runs/fork-dialog'));

/** The page: its header, and the view that is on. The session goes on, whichever view is on. */
export function Page({ start, token }: { start: Address; token: string | undefined }) {
  const { runId, session, newer, noRun, choose } = useRun(start);
  const map = useMapHandle();
  const page = useChoices((choices) => choices.page);
  const [startView, setStartView] = useState(start.view);
  const { view, onView, link } = useAddress(session, startView);
  useTokenOfLink(token);
  useKeys(session);
  useEffect(() => exposeForTests(session, map), [session, map]);

  const chooseRun = useCallback(
    (run: string) => {
      const choices = useChoices.getState();
      choices.select(undefined);
      choices.set({ page: 'map' });
      setStartView(undefined);
      onView(undefined);
      choose(run);
    },
    [choose, onView],
  );
  const expectRun = useExpectedRun(chooseRun);
  // The map is built anew when one comes back to it: from where it was left.
  useEffect(() => {
    if (page === 'map') return () => setStartView(view.current);
  }, [page, view]);

  const { hasLaboratory } = useOperator();
  const shell = (
    <>
      {hasLaboratory && page !== 'laboratory' && (
        <Suspense>
          <Watch />
        </Suspense>
      )}
      <HelpDialog />
      <Notice />
    </>
  );
  const others = page !== 'map' && (
    <ViewFrame>
      <Suspense fallback={<ViewLoading />}>
        {page === 'runs' ? (
          <RunsView run={runId} onChoose={chooseRun} onStarted={expectRun} />
        ) : (
          <OperatorPage run={runId} />
        )}
      </Suspense>
    </ViewFrame>
  );
  if (session === undefined) {
    return (
      <Box sx={{ minHeight: '100dvh', display: 'flex', flexDirection: 'column' }}>
        <Header nav={<Nav />} />
        {others || (
          <Box component="main" sx={{ position: 'relative', flex: 1 }}>
            <LoadingPicture {...(noRun && { text: texts.waiting.noRun })} />
          </Box>
        )}
        {shell}
      </Box>
    );
  }
  return (
    <SessionProvider value={session}>
      <Box sx={{ minHeight: '100dvh', height: { md: '100dvh' }, display: 'flex', flexDirection: 'column' }}>
        <Header nav={<Nav />}>
          <Connection />
          <RunChooser run={runId} onChoose={chooseRun} />
          <ShareButton link={link} />
        </Header>
        {others || <MapPage startView={startView} onView={onView} />}
      </Box>
      {shell}
      <ForkOfRun onStarted={expectRun} />
      <Snackbar
        open={newer !== undefined}
        message={texts.runs.newer}
        action={
          <Button size="small" color="inherit" onClick={() => newer !== undefined && chooseRun(newer)}>
            {texts.runs.show}
          </Button>
        }
      />
    </SessionProvider>
  );
}

/** The form that forks the run on show, asked for beside the time. */
function ForkOfRun({ onStarted }: { onStarted(run: string): void }) {
  const { forkAt, set } = useChoices();
  const run = useSessionState((state) => state.run);
  if (forkAt === undefined || run === undefined) return null;
  return (
    <Suspense>
      <ForkDialog run={run} tick={forkAt} onClose={() => set({ forkAt: undefined })} onStarted={onStarted} />
    </Suspense>
  );
}
