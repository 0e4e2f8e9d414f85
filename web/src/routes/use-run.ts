import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { fetchRun, fetchStatistics, liveUrl, type Run } from '../api/client';
import { runListQuery } from '../api/queries';
import { Session, type Source } from '../live/session';
import type { RunSession } from '../ui/session-context';
import type { Address } from './address';
import { choose as whichRun } from './which-run';

const source: Source<Run> = { run: fetchRun, statistics: fetchStatistics, liveUrl };

export interface ChosenRun {
  runId: string | undefined;
  session: RunSession | undefined;
  /** A run that began after the one on show, when the visitor is busy with that one. */
  newer: string | undefined;
  /** The server has no run at all. */
  noRun: boolean;
  choose(run: string, moment?: number): void;
}

/** The run on show and its session: the one in the address, else the default; live visitors of the default go along. */
export function useRun(start: Address): ChosenRun {
  const { data: list } = useQuery(runListQuery);
  const client = useQueryClient();
  const [{ run: runId, moment }, setChosen] = useState({ run: start.run, moment: start.moment });
  const [session, setSession] = useState<RunSession>();
  const [newer, setNewer] = useState<string>();
  const defaultSeen = useRef<string>(undefined);
  const choose = useCallback((run: string, at?: number) => {
    setNewer(undefined);
    setChosen({ run, moment: at });
  }, []);

  useEffect(() => {
    if (list === undefined) return;
    const isLive = session?.store.getState().mode === 'live';
    const choice = whichRun(list, { shown: runId, defaultBefore: defaultSeen.current, isLive });
    defaultSeen.current = list.defaultRun ?? defaultSeen.current;
    if (choice === undefined) return;
    if ('offer' in choice) setNewer(choice.offer);
    else choose(choice.show, runId === undefined ? start.moment : undefined);
  }, [list, runId, session, choose, start.moment]);

  useEffect(() => {
    if (runId === undefined) return;
    const opened: RunSession = new Session<Run>(runId, source, {
      ...(start.speed !== undefined && { speed: start.speed }),
      moment,
      onRunsChanged: () => void client.invalidateQueries({ queryKey: runListQuery.queryKey }),
    });
    setSession(opened);
    return () => opened.close();
  }, [runId, moment, start.speed, client]);

  return { runId, session, newer, noRun: list?.runs.length === 0, choose };
}
