import Box from '@mui/material/Box';
import { useCallback } from 'react';
import { MapView } from '../map/map-view';
import type { View } from '../map/view';
import { CurvePanel } from '../panels/curve/curve-panel';
import { Figures } from '../panels/figures';
import { Legend } from '../panels/legend';
import { MoreFigures } from '../panels/more-figures';
import { PersonPanel } from '../panels/person/person-panel';
import { TimeBar } from '../panels/time-bar';
import { useChoices } from '../ui/choices';
import { useSession } from '../ui/session-context';

interface MapPageProps {
  startView: View | undefined;
  onView(view: View | undefined): void;
}

/** The run on show: the map in the middle, time under it, figures and panels beside it. */
export function MapPage({ startView, onView }: MapPageProps) {
  const session = useSession();
  const onPick = useCallback((slot: number | undefined) => {
    const { pick, select } = useChoices.getState();
    if (slot === undefined) select(undefined);
    else pick(slot);
  }, []);
  return (
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
      <Box sx={{ gridArea: 'map', display: 'flex', minHeight: { xs: '50dvh', md: 0 } }}>
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
          <MoreFigures />
          <Legend />
          <PersonPanel />
          <CurvePanel />
        </Box>
      </Box>
    </Box>
  );
}
