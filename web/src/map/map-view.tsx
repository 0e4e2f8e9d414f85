import Box from '@mui/material/Box';
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { styleOf, useChoices } from '../ui/choices';
import { hiddenText } from '../ui/panel';
import { useSession, useSessionState } from '../ui/session-context';
import { texts } from '../ui/texts';
import { useMapPalette } from '../ui/use-map-palette';
import { dotsInAddress, rendererInAddress } from './choose';
import { useMapHandle } from './handle';
import { MapCorner } from './map-corner';
import { MapScene, type MapWish } from './scene';
import type { View } from './view';
import { Waiting } from './waiting';

const PAN_PX = 48;
const ARROWS = {
  ArrowUp: { dx: 0, dy: 1, direction: 'north' },
  ArrowRight: { dx: -1, dy: 0, direction: 'east' },
  ArrowDown: { dx: 0, dy: -1, direction: 'south' },
  ArrowLeft: { dx: 1, dy: 0, direction: 'west' },
} as const;

interface MapViewProps {
  startView: View | undefined;
  onView(view: View | undefined): void;
  /** Somebody in this slot was chosen on the map; undefined: a click on nobody. */
  onPick(slot: number | undefined): void;
}

/** The map in its frame: what React knows of it. People never pass through here. */
export function MapView({ startView, onView, onPick }: MapViewProps) {
  const host = useRef<HTMLDivElement>(null);
  const handle = useMapHandle();
  const session = useSession();
  const helpId = useId();
  const wish = useMapWish();
  const ready = useSessionState((state) => state.run !== undefined);
  const away = useSessionState((state) => state.awaySince !== undefined);
  const hasPicture = useSessionState((state) => state.hasPicture);
  const [view, setView] = useState<View>();
  const latest = useRef({ wish, startView, onView, onPick });
  latest.current = { wish, startView, onView, onPick };

  useEffect(() => {
    const { run } = session.store.getState();
    if (!ready || run === undefined || host.current === null) return;
    const number = (name: string, otherwise: number) =>
      Number(run.parameters[name] ?? otherwise) || otherwise;
    const field = { width: number('field_width', 100), height: number('field_height', 100) };
    const scene = new MapScene(
      host.current,
      session.picture,
      { field, scaleFactor: number('scale_factor', 5), infectionRadius: number('infection_radius', 2) },
      latest.current.wish,
      {
        pick: (slot) => latest.current.onPick(slot),
        panned: () => useChoices.getState().set({ follow: false }),
        look: (window) => session.look(window),
        drawing: (drawing) => useChoices.getState().set({ drawing }),
        view: (next, isHome) => {
          setView(next);
          latest.current.onView(isHome ? undefined : next);
        },
      },
      {
        renderer: rendererInAddress(location.search),
        view: latest.current.startView,
        density: !dotsInAddress(location.search),
      },
    );
    handle.current = scene;
    return () => {
      handle.current = undefined;
      scene.dispose();
    };
  }, [session, ready, handle]);

  useEffect(() => handle.current?.want(wish), [wish, handle]);

  const onKeyDown = (event: KeyboardEvent) => {
    const scene = handle.current;
    const arrow = ARROWS[event.key as keyof typeof ARROWS];
    if (scene === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    if (arrow !== undefined && event.shiftKey) {
      const slot = scene.neighbour(arrow.direction);
      if (slot !== undefined) onPick(slot);
    } else if (arrow !== undefined) {
      scene.pan(arrow.dx * PAN_PX, arrow.dy * PAN_PX);
    } else if (event.key === 'Enter') {
      const slot = scene.nearestToMiddle();
      if (slot !== undefined) onPick(slot);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <Box
      component="section"
      aria-label={texts.map.label}
      sx={{
        position: 'relative',
        flex: 1,
        minHeight: 0,
        borderRadius: 1,
        overflow: 'hidden',
        border: 1,
        borderColor: 'divider',
        bgcolor: 'background.default',
      }}
    >
      <Box
        ref={host}
        id="map"
        role="application"
        tabIndex={0}
        aria-label={texts.map.label}
        aria-describedby={helpId}
        data-away={away && hasPicture ? '' : undefined}
        onKeyDown={onKeyDown}
        sx={{
          position: 'absolute',
          inset: 0,
          touchAction: 'none',
          cursor: 'grab',
          '&:active': { cursor: 'grabbing' },
          '&:focus-visible': { outline: '3px solid', outlineColor: 'primary.main', outlineOffset: '-3px' },
          '& canvas': {
            position: 'absolute',
            inset: 0,
            width: '100%',
            height: '100%',
            pointerEvents: 'none',
          },
          transition: 'filter .4s, opacity .4s',
          '&[data-away]': { filter: 'grayscale(1)', opacity: 0.55 },
        }}
      />
      <Box component="p" id={helpId} sx={hiddenText}>
        {texts.map.help}
      </Box>
      {hasPicture && <MapCorner view={view} />}
      <Waiting />
    </Box>
  );
}

/** The visitor's choices as the map wants them; the same object as long as nothing changes. */
function useMapWish(): MapWish {
  const palette = useMapPalette();
  const choices = useChoices(
    useShallow(({ realism, shapes, shown, slot, follow, isolated }) => ({
      realism,
      shapes,
      shown,
      slot,
      follow,
      isolated,
    })),
  );
  return useMemo(
    () => ({
      palette,
      style: styleOf(choices),
      shown: choices.shown,
      selected: choices.slot,
      isolated: choices.isolated,
      follow: choices.follow,
    }),
    [palette, choices],
  );
}
