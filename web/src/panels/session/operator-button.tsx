import IconButton from '@mui/material/IconButton';
import Tooltip from '@mui/material/Tooltip';
import { useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useRef } from 'react';
import { signIn } from '../../api/operator';
import { sessionQuery } from '../../api/operator-queries';
import { useChoices } from '../../ui/choices';
import { Icon } from '../../ui/icons';
import { texts } from '../../ui/texts';
import { useNotice } from './notice';
import { useOperator } from './use-operator';

const SignInDialog = lazy(() => import('./sign-in-dialog'));

/** The one trace of the operator that a visitor sees, and only where one can sign in. */
export function OperatorButton() {
  const { is, canSignIn } = useOperator();
  const { signingIn, set } = useChoices();
  useSignedOut(is);
  if (!is && !canSignIn) return null;
  const label = is ? texts.operator.signedIn : texts.operator.signIn;
  return (
    <>
      <Tooltip title={label}>
        <IconButton
          aria-label={label}
          aria-haspopup={is ? undefined : 'dialog'}
          data-testid="operator"
          data-signed-in={is}
          onClick={() => (is ? set({ page: 'laboratory' }) : set({ signingIn: true }))}
          sx={{ color: is ? 'primary.main' : 'action.active' }}
        >
          <Icon name="key" />
        </IconButton>
      </Tooltip>
      {signingIn && (
        <Suspense>
          <SignInDialog onClose={() => set({ signingIn: false })} />
        </Suspense>
      )}
    </>
  );
}

/** Says when the operator is no more signed in, and leaves what is the operator's alone. */
function useSignedOut(is: boolean): void {
  const was = useRef(false);
  useEffect(() => {
    if (was.current && !is) {
      useNotice.getState().tell(texts.operator.expired);
      const { page, set } = useChoices.getState();
      set({ forkAt: undefined, ...(page === 'laboratory' && { page: 'map', signingIn: true }) });
    }
    was.current = is;
  }, [is]);
}

/** Signs in with the token that a link carried. */
export function useTokenOfLink(token: string | undefined): void {
  const client = useQueryClient();
  useEffect(() => {
    if (token === undefined) return;
    signIn(token)
      .then(() => useNotice.getState().tell(texts.operator.welcome))
      .catch(() => useNotice.getState().tell(texts.operator.linkOld))
      .finally(() => void client.invalidateQueries({ queryKey: sessionQuery.queryKey }));
  }, [token, client]);
}
