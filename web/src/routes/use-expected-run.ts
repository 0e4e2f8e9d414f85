import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import { runsQuery } from '../api/queries';

const LOOK_MS = 1000;
/** Devices take a while to start; a run that takes longer than this is only in the list. */
const PATIENCE_MS = 60_000;

/** Opens a run that was just started as soon as it is in the list; returns who is told of one. */
export function useExpectedRun(choose: (run: string) => void): (run: string) => void {
  const [expected, setExpected] = useState<string>();
  const { data: runs } = useQuery({
    ...runsQuery,
    ...(expected !== undefined && { refetchInterval: LOOK_MS }),
  });
  const there = expected !== undefined && runs?.some(({ id, moments }) => id === expected && moments > 0);

  useEffect(() => {
    if (expected === undefined) return;
    const timer = setTimeout(() => setExpected(undefined), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [expected]);

  useEffect(() => {
    if (!there || expected === undefined) return;
    setExpected(undefined);
    choose(expected);
  }, [there, expected, choose]);

  return useCallback((run: string) => setExpected(run), []);
}
