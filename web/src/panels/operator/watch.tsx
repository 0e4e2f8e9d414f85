import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { laboratoryQuery } from '../../api/operator-queries';
import { useHistory } from './history';

/** While the operator looks at something else: as often as a mark beside the time is worth. */
const WATCH_MS = 2000;

/** Follows the parts while the laboratory is not on show, so that its history has no hole. */
export default function Watch() {
  const { data } = useQuery({ ...laboratoryQuery, refetchInterval: WATCH_MS });
  useEffect(() => {
    if (data !== undefined) useHistory.getState().take(data);
  }, [data]);
  return null;
}
