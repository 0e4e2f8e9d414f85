import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { fetchRun, fetchStatistics, liveUrl, type Run } from '../api/client';
import { runsQuery } from '../api/queries';
import { Session, type Source } from '../live/session';
import type { RunSession } from '../ui/session-context';
import type { Address } from './address';

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

/** The run on show and its session: the one in the address, else the newest; live visitors of the newest go along. */
export function useRun(start: Address): ChosenRun {
  const { data: runs } = useQuery(runsQuery);
  const client = useQueryClient();
  const [{ run: runId, moment }, setChosen] = useState({ run: start.run, moment: start.moment });
  const [session, setSession] = useState<RunSession>();
  const [newer, setNewer] = useState<string>();
  const newestSeen = useRef<string>(undefined);
  const choose = useCallback((run: string, at?: number) => {
    setNewer(undefined);
    setChosen({ run, moment: at });
  }, []);

  useEffect(() => {
    const newest = runs?.[0]?.id;
    if (newest === undefined) return;
    const seen = newestSeen.current;
    newestSeen.current = newest;
    if (runId === undefined || !runs?.some(({ id }) => id === runId)) {
      choose(newest, runId === undefined ? start.moment : undefined);
    } else if (seen !== undefined && newest !== seen && newest !== runId) {
      const followsNewest = runId === seen && session?.store.getState().mode === 'live';
      if (followsNewest) choose(newest);
      else setNewer(newest);
    }
  }, [runs, runId, session, choose, start.moment]);

  useEffect(() => {
    if (runId === undefined) return;
    const opened: RunSession = new Session<Run>(runId, source, {
      ...(start.speed !== undefined && { speed: start.speed }),
      moment,
      onRunsChanged: () => void client.invalidateQueries({ queryKey: runsQuery.queryKey }),
    });
    setSession(opened);
    return () => opened.close();
  }, [runId, moment, start.speed, client]);

  return { runId, session, newer, noRun: runs?.length === 0, choose };
}
