import Box from '@mui/material/Box';
import { runTexts } from '../../ui/texts-runs';
import type { RunState } from './run-facts';

const SHAPES: Record<RunState, { path: string; colour: string }> = {
  live: { path: 'M6 1.500a4.500 4.500 0 1 1 0 9a4.500 4.500 0 0 1 0-9Z', colour: 'success.main' },
  failed: { path: 'M6 1 11.500 10.500H.5Z', colour: 'error.main' },
  over: { path: 'M2.500 2.500h7v7h-7Z', colour: 'text.secondary' },
};

/** A run's state: shape, colour and word. */
export function RunStateMark({ state }: { state: RunState }) {
  const { path, colour } = SHAPES[state];
  return (
    <Box
      component="span"
      sx={{ display: 'inline-flex', alignItems: 'center', gap: 0.75, whiteSpace: 'nowrap' }}
    >
      <Box
        component="svg"
        viewBox="0 0 12 12"
        aria-hidden="true"
        sx={{ width: 11, height: 11, color: colour, flexShrink: 0 }}
      >
        <path d={path} fill="currentColor" />
      </Box>
      {runTexts.states[state]}
    </Box>
  );
}
