import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Snackbar from '@mui/material/Snackbar';
import { useCallback, useEffect, useState } from 'react';
import { useMapHandle } from '../map/handle';
import { MapView } from '../map/map-view';
import { LoadingPicture } from '../map/waiting';
import { Connection } from '../panels/connection';
import { CurvePanel } from '../panels/curve/curve-panel';
import { Figures } from '../panels/figures';
import { HelpDialog } from '../panels/help-dialog';
import { Legend } from '../panels/legend';
import { PersonPanel } from '../panels/person/person-panel';
import { RunChooser } from '../panels/run-chooser';
import { ShareButton } from '../panels/share-button';
import { TimeBar } from '../panels/time-bar';
import { useChoices } from '../ui/choices';
import { SessionProvider } from '../ui/session-context';
import { texts } from '../ui/texts';
import type { Address } from './address';
import { Header } from './header';
import { exposeForTests } from './test-hook';
import { useAddress } from './use-address';
import { useKeys } from './use-keys';
import { useRun } from './use-run';

/** The page: the map in the middle, time under it, figures and panels beside it. */
export function Laboratory({ start }: { start: Address }) {
  const { runId, session, newer, choose } = useRun(start);
  const map = useMapHandle();
  const [startView, setStartView] = useState(start.view);
  const { onView, link } = useAddress(session, startView);
  useKeys(session);
  useEffect(() => exposeForTests(session, map), [session, map]);

  const chooseRun = useCallback(
    (run: string) => {
      useChoices.getState().select(undefined);
      setStartView(undefined);
      onView(undefined);
      choose(run);
    },
    [choose, onView],
  );
  const onPick = useCallback((slot: number | undefined) => {
    const { pick, select } = useChoices.getState();
    if (slot === undefined) select(undefined);
    else pick(slot);
  }, []);

  if (session === undefined) {
    return (
      <Box sx={{ height: '100dvh', display: 'flex', flexDirection: 'column' }}>
        <Header />
        <Box component="main" sx={{ position: 'relative', flex: 1 }}>
          <LoadingPicture />
        </Box>
      </Box>
    );
  }
  return (
    <SessionProvider value={session}>
      <Box sx={{ minHeight: '100dvh', height: { md: '100dvh' }, display: 'flex', flexDirection: 'column' }}>
        <Header>
          <Connection />
          <RunChooser run={runId} onChoose={chooseRun} />
          <ShareButton link={link} />
        </Header>
        <Box
          component="main"
          sx={{
            flex: 1,
            minHeight: 0,
            display: 'grid',
            gap: 1.5,
            p: { xs: 1, sm: 1.5 },
            gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: 'minmax(0, 1fr) 348px' },
            gridTemplateRows: { md: 'minmax(0, 1fr) auto' },
            gridTemplateAreas: { xs: '"figures" "map" "time" "panels"', md: '"map panels" "time panels"' },
          }}
        >
          <Box sx={{ gridArea: 'map', display: 'flex', minHeight: { xs: '58dvh', md: 0 } }}>
            <MapView key={session.runId} startView={startView} onView={onView} onPick={onPick} />
          </Box>
          <Box sx={{ gridArea: 'time', position: { xs: 'sticky', md: 'static' }, bottom: 8, zIndex: 5 }}>
            <TimeBar />
          </Box>
          <Box
            sx={{
              display: { xs: 'contents', md: 'flex' },
              flexDirection: 'column',
              gap: 1.5,
              gridArea: 'panels',
              overflowY: 'auto',
              minHeight: 0,
            }}
          >
            <Box sx={{ gridArea: { xs: 'figures', md: 'auto' } }}>
              <Figures />
            </Box>
            <Box sx={{ gridArea: { xs: 'panels', md: 'auto' }, display: 'grid', gap: 1.5 }}>
              <Legend />
              <PersonPanel />
              <CurvePanel />
            </Box>
          </Box>
        </Box>
      </Box>
      <HelpDialog />
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
