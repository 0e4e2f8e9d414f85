import { useQuery } from '@tanstack/react-query';
import { lazy, useEffect } from 'react';
import { sessionQuery } from '../api/operator-queries';
import { operatorOf } from '../panels/session/use-operator';
import { useChoices } from '../ui/choices';
import { ViewLoading } from './view-frame';

const OperatorView = lazy(() => import('../panels/operator/operator-view'));

interface OperatorPageProps {
  /** The run on the map. */
  run: string | undefined;
}

/** The laboratory; who is not its operator is asked to sign in where one can, and else sees the map. */
export function OperatorPage({ run }: OperatorPageProps) {
  const { data } = useQuery(sessionQuery);
  const { is, canSignIn, hasLaboratory } = operatorOf(data);
  const known = data !== undefined;
  const set = useChoices((choices) => choices.set);
  useEffect(() => {
    if (!known || hasLaboratory) return;
    set({ page: 'map', signingIn: canSignIn && !is });
  }, [known, hasLaboratory, canSignIn, is, set]);
  return hasLaboratory ? <OperatorView run={run} /> : <ViewLoading />;
}
