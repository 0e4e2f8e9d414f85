import { createContext, useContext, useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import type { Run } from '../api/client';
import type { Session, SessionState } from '../live/session';

export type RunSession = Session<Run>;
export type RunSessionState = SessionState<Run>;

const SessionContext = createContext<RunSession | undefined>(undefined);
export const SessionProvider = SessionContext.Provider;

/** The session of the run on show. */
export function useSession(): RunSession {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error('no session above this component');
  return session;
}

/** The session of the run on show, if there is one. */
export const useOptionalSession = (): RunSession | undefined => useContext(SessionContext);

/** A part of the session's state; the component renders again when that part changes. */
export function useSessionState<T>(select: (state: RunSessionState) => T): T {
  return useStore(useSession().store, select);
}

/** Renders again when the series has changed; the value counts its changes. */
export function useSeriesVersion(): number {
  const { series } = useSession();
  return useSyncExternalStore(
    (listener) => series.subscribe(listener),
    () => series.version,
  );
}
