import { useColorScheme } from '@mui/material/styles';
import { useCallback, useEffect, useRef } from 'react';
import type { View } from '../map/view';
import { useChoices } from '../ui/choices';
import type { RunSession } from '../ui/session-context';
import { type Address, readAddress, writeAddress } from './address';

/** Browsers take about a hundred changes of the address in half a minute. */
const WRITE_MS = 400;

/** Keeps the address in step with what is seen; returns who writes the view, and who makes a link of now. */
export function useAddress(session: RunSession | undefined, startView: View | undefined) {
  const view = useRef(startView);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const { mode: theme } = useColorScheme();
  const latest = useRef({ session, theme });
  latest.current = { session, theme };

  const now = useCallback((absolute: boolean): Address => {
    const state = latest.current.session?.store.getState();
    const { page, compared, comparing, person, realism, shapes } = useChoices.getState();
    const isLive = state === undefined || state.mode === 'live';
    const scheme = latest.current.theme;
    return {
      page,
      compare: comparing ? [...compared] : undefined,
      run: latest.current.session?.runId,
      moment:
        state === undefined || (isLive && !absolute)
          ? undefined
          : absolute && isLive
            ? state.moment
            : state.wanted,
      speed: state?.speed,
      person,
      view: view.current,
      realism,
      shapes,
      theme: scheme === 'light' || scheme === 'dark' ? scheme : undefined,
    };
  }, []);

  const writeSoon = useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      if (latest.current.session === undefined) return;
      const search = writeAddress(now(false), location.search);
      if (search !== location.search) history.replaceState(null, '', location.pathname + search);
    }, WRITE_MS);
  }, [now]);

  useEffect(() => {
    const stops = [session?.store.subscribe(writeSoon), useChoices.subscribe(writeSoon)];
    writeSoon();
    return () => {
      for (const stop of stops) stop?.();
    };
  }, [session, writeSoon]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme is what changed.
  useEffect(writeSoon, [theme, writeSoon]);

  // A change of the page's view can be gone back from.
  const page = useChoices((choices) => choices.page);
  const comparing = useChoices((choices) => choices.comparing);
  const shown = useRef({ page, comparing });
  useEffect(() => {
    if (shown.current.page === page && shown.current.comparing === comparing) return;
    shown.current = { page, comparing };
    const address = location.pathname + writeAddress(now(false), location.search);
    if (address !== location.pathname + location.search) history.pushState(null, '', address);
  }, [page, comparing, now]);
  useEffect(() => {
    const listen = () => {
      const { page, compare } = readAddress(location.search);
      useChoices
        .getState()
        .set({ page, comparing: compare !== undefined, ...(compare && { compared: compare }) });
    };
    window.addEventListener('popstate', listen);
    return () => window.removeEventListener('popstate', listen);
  }, []);

  const onView = useCallback(
    (next: View | undefined) => {
      view.current = next;
      writeSoon();
    },
    [writeSoon],
  );
  const link = useCallback(
    () => location.origin + location.pathname + writeAddress(now(true), location.search),
    [now],
  );
  return { view, onView, link };
}
