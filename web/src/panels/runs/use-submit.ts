import { useState } from 'react';
import { ServerError } from '../../api/ask';
import { runTexts } from '../../ui/texts-runs';
import { useExpiry } from '../session/use-operator';
import { complaints, type Wrong } from './form-model';

export interface Submission {
  busy: boolean;
  wrong: Wrong;
  trouble: string | undefined;
  /** A field was changed: what was wrong with it is so no more. */
  mended(name: string): void;
  /** Sends it, unless something is wrong already; the server's complaints go to their fields. */
  submit(found: Wrong, send: () => Promise<void>): Promise<void>;
}

/** What happens between pressing the button of a form and its end. */
export function useSubmit(): Submission {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<Wrong>({});
  const [trouble, setTrouble] = useState<string>();
  const isExpired = useExpiry();
  return {
    busy,
    wrong,
    trouble,
    mended(name) {
      setTrouble(undefined);
      setWrong(({ [name]: _, ...others }) => others);
    },
    async submit(found, send) {
      setTrouble(undefined);
      setWrong(found);
      if (Object.keys(found).length > 0) return;
      setBusy(true);
      try {
        await send();
      } catch (error) {
        isExpired(error);
        const problem = error instanceof ServerError ? error.problem : undefined;
        const atFields = complaints(problem?.errors ?? []);
        setWrong(atFields);
        if (Object.keys(atFields).length === 0) setTrouble(problem?.detail ?? runTexts.form.failedToStart);
      } finally {
        setBusy(false);
      }
    },
  };
}
