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
  choose(run: string, moment?: number): void;
}

/** The run on show and its session: the one in the address, else the newest; live visitors of the newest go along. */
export function useRun(start: Address): ChosenRun {
  const { data: runs } = useQuery(runsQuery);
  const client = useQueryClient();
  const [chosen, setChosen] = useState({ run: start.run, moment: start.moment });
  const [session, setSession] = useState<RunSession>();
  const newestBefore = useRef<string>(undefined);
  const newest = runs?.[0]?.id;
  const missing = runs !== undefined && chosen.run !== undefined && !runs.some(({ id }) => id === chosen.run);
  const runId = missing ? newest : (chosen.run ?? newest);
  const choose = useCallback((run: string, moment?: number) => setChosen({ run, moment }), []);

  useEffect(() => {
    const before = newestBefore.current;
    newestBefore.current = newest;
    if (newest === undefined || before === undefined || newest === before) return;
    const isLive = session?.store.getState().mode === 'live';
    if (runId === before && isLive) choose(newest);
  }, [newest, runId, session, choose]);

  useEffect(() => {
    if (runId === undefined) return;
    const opened: RunSession = new Session<Run>(runId, source, {
      ...(start.speed !== undefined && { speed: start.speed }),
      moment: chosen.moment,
      onRunsChanged: () => void client.invalidateQueries({ queryKey: runsQuery.queryKey }),
    });
    setSession(opened);
    return () => opened.close();
  }, [runId, chosen.moment, start.speed, client]);

  const newestIsNewer = newest !== undefined && runId !== undefined && newest !== runId;
  const wasNewest = newestBefore.current === runId || newestBefore.current === newest;
  return {
    runId,
    session,
    newer: newestIsNewer && wasNewest && chosen.run !== undefined ? newest : undefined,
    choose,
  };
}
