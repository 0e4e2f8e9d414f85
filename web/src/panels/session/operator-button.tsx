import IconButton from '@mui/material/IconButton';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import Tooltip from '@mui/material/Tooltip';
import { useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { signIn, signOut } from '../../api/operator';
import { askSessionAgain, forgetLaboratory } from '../../api/operator-queries';
import { useChoices } from '../../ui/choices';
import { useHappenings } from '../../ui/happenings';
import { Icon } from '../../ui/icons';
import { texts } from '../../ui/texts';
import { useNotice } from './notice';
import { useOperator } from './use-operator';

const SignInDialog = lazy(() => import('./sign-in-dialog'));

/** The one trace of the operator that a visitor sees, and only where one can sign in. */
export function OperatorButton() {
  const { is, canSignIn } = useOperator();
  const { signingIn, set } = useChoices();
  const leave = useSigningOut(is);
  const [anchor, setAnchor] = useState<HTMLElement>();
  if (!is && !canSignIn) return null;
  const label = is ? texts.operator.signedIn : texts.operator.signIn;
  return (
    <>
      <Tooltip title={label}>
        <IconButton
          aria-label={label}
          aria-haspopup={is ? 'menu' : 'dialog'}
          data-testid="operator"
          onClick={(event) => (is ? setAnchor(event.currentTarget) : set({ signingIn: true }))}
          sx={{ color: is ? 'primary.main' : 'action.active' }}
        >
          <Icon name="key" />
        </IconButton>
      </Tooltip>
      <Menu open={is && anchor !== undefined} anchorEl={anchor ?? null} onClose={() => setAnchor(undefined)}>
        <MenuItem
          dense
          onClick={() => {
            setAnchor(undefined);
            leave();
          }}
        >
          {texts.operator.signOut}
        </MenuItem>
      </Menu>
      {signingIn && !is && (
        <Suspense>
          <SignInDialog onClose={() => set({ signingIn: false })} />
        </Suspense>
      )}
    </>
  );
}

/** Signs out when asked to; and says so when the server has done it by itself. */
function useSigningOut(is: boolean): () => void {
  const client = useQueryClient();
  const was = useRef(false);
  const wanted = useRef(false);
  useEffect(() => {
    if (was.current && !is) {
      const { page, set } = useChoices.getState();
      useNotice.getState().tell(wanted.current ? texts.operator.signedOut : texts.operator.expired);
      forgetLaboratory(client);
      useHappenings.setState({ list: [] });
      set({ forkAt: undefined, ...(page === 'laboratory' && { page: 'map', signingIn: !wanted.current }) });
    }
    was.current = is;
    wanted.current = false;
  }, [is, client]);
  return () => {
    wanted.current = true;
    signOut()
      .catch(() => undefined)
      .finally(() => void askSessionAgain(client));
  };
}

/** Signs in with the token that a link carried. */
export function useTokenOfLink(token: string | undefined): void {
  const client = useQueryClient();
  useEffect(() => {
    if (token === undefined) return;
    signIn(token)
      .then(() => useNotice.getState().tell(texts.operator.welcome))
      .catch(() => useNotice.getState().tell(texts.operator.linkOld))
      .finally(() => void askSessionAgain(client));
  }, [token, client]);
}
