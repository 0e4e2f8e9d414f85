import { useColorScheme } from '@mui/material/styles';
import { useEffect } from 'react';
import { useMapHandle } from '../map/handle';
import { STEPS_MS } from '../panels/go-to';
import { SEARCH_ID } from '../panels/person/person-search';
import { useOperator } from '../panels/session/use-operator';
import { markFrom, marksOf } from '../panels/time-marks';
import { type Choices, useChoices } from '../ui/choices';
import { useHappenings } from '../ui/happenings';
import type { RunSession } from '../ui/session-context';

/** Keys like a video player's, wherever the focus is except where one types or moves a slider. */
export function useKeys(session: RunSession | undefined): void {
  const map = useMapHandle();
  const { mode, systemMode, setMode } = useColorScheme();
  const { hasLaboratory } = useOperator();
  const dark = (mode === 'system' ? systemMode : mode) === 'dark';

  useEffect(() => {
    const acts = (event: KeyboardEvent): (() => void) | undefined => {
      const choices = useChoices.getState();
      const person = choices.person !== undefined;
      switch (event.key) {
        case '1':
          return () => choices.set({ page: 'map' });
        case '2':
          return () => choices.set({ page: 'runs' });
        case '3':
          return hasLaboratory ? () => choices.set({ page: 'laboratory' }) : undefined;
        case 'd':
        case 'D':
          return () => setMode(dark ? 'light' : 'dark');
        case '?':
          return () => choices.set({ help: true });
        default:
          return choices.page === 'map' ? onMap(event, choices, person) : undefined;
      }
    };
    const onMap = (event: KeyboardEvent, choices: Choices, person: boolean): (() => void) | undefined => {
      switch (event.key) {
        case ' ':
          return () => session?.toggle();
        case 'l':
        case 'L':
          return () => session?.goLive();
        case ',':
          return () => session?.step(-1);
        case '.':
          return () => session?.step(1);
        case 'ArrowLeft':
          return () => session?.skip(-STEPS_MS[event.shiftKey ? 'minute' : 'second']);
        case 'ArrowRight':
          return () => session?.skip(STEPS_MS[event.shiftKey ? 'minute' : 'second']);
        case 'Home':
          return () => session?.seek(0);
        case 'End':
          return () => session?.seek(Number.MAX_SAFE_INTEGER);
        case 'n':
        case 'N':
          return () => goToMark(session, 1);
        case 'p':
        case 'P':
          return () => goToMark(session, -1);
        case 'g':
        case 'G':
          return () => choices.set({ goingTo: true });
        case '<':
          return () => session?.changeSpeed(-1);
        case '>':
          return () => session?.changeSpeed(1);
        case '+':
        case '=':
          return () => map.current?.zoom(1.5);
        case '-':
          return () => map.current?.zoom(1 / 1.5);
        case 'h':
        case 'H':
          return () => map.current?.home();
        case 'r':
        case 'R':
          return () => choices.set({ realism: !choices.realism });
        case 'f':
        case 'F':
          return person ? () => choices.set({ follow: !choices.follow }) : undefined;
        case 'c':
        case 'C':
          return person ? () => choices.slot !== undefined && map.current?.centre(choices.slot) : undefined;
        case 'i':
        case 'I':
          return person ? () => choices.set({ isolate: !choices.isolate }) : undefined;
        case '/':
          return () => document.getElementById(SEARCH_ID)?.focus();
        case 'Escape':
          return person ? () => choices.select(undefined) : undefined;
        default:
          return undefined;
      }
    };
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || isTaken(event)) return;
      const act = acts(event);
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, [session, map, dark, setMode, hasLaboratory]);
}

function goToMark(session: RunSession | undefined, direction: 1 | -1): void {
  if (session === undefined) return;
  const marks = marksOf(session.series, useHappenings.getState().list);
  const mark = markFrom(marks, session.store.getState().wanted, direction);
  if (mark !== undefined) session.seek(mark.moment);
}

/** Does the key belong to what has the focus? */
function isTaken(event: KeyboardEvent): boolean {
  const at = event.target as HTMLElement;
  if (
    at.closest('[role=dialog], [role=menu], [role=listbox], [role=combobox], [contenteditable=true]') !== null
  )
    return true;
  if (at.tagName === 'TEXTAREA' || at.tagName === 'SELECT') return true;
  if (at.tagName === 'INPUT') {
    const kind = (at as HTMLInputElement).type;
    if (kind === 'range') return /^(Arrow|Home|End|Page)/.test(event.key);
    return kind === 'checkbox' ? event.key === ' ' : true;
  }
  if (at.tagName === 'BUTTON' || at.tagName === 'A') return event.key === ' ' || event.key === 'Enter';
  return at.closest('[role=tab]') !== null && /^(Arrow|Home|End)/.test(event.key);
}
