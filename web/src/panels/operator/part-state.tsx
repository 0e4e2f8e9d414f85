import Box from '@mui/material/Box';
import type { PartState } from '../../api/operator';
import { operatorTexts } from '../../ui/texts-operator';

const SHAPES: Record<PartState, { path: string; colour: string }> = {
  running: { path: 'M3 1.800 10.500 6 3 10.200Z', colour: 'success.main' },
  paused: { path: 'M2.500 2h2.600v8H2.500ZM6.900 2h2.600v8H6.900Z', colour: 'warning.main' },
  stopped: { path: 'M2.300 2.300h7.400v7.400H2.300Z', colour: 'error.main' },
  refused: {
    path: 'M6 .8 11.600 10.800H.4ZM5.300 4.300v3.200h1.400V4.300Zm0 4v1.400h1.400V8.300Z',
    colour: 'error.main',
  },
  finished: {
    path: 'M1 6.300 2.500 4.800 4.800 7.100 9.500 2.200 11 3.700 4.800 10Z',
    colour: 'text.secondary',
  },
  elsewhere: {
    path: 'M6 1a5 5 0 1 1 0 10A5 5 0 0 1 6 1Zm0 1.600a3.400 3.400 0 1 0 0 6.800 3.400 3.400 0 0 0 0-6.800Z',
    colour: 'text.secondary',
  },
  waiting: {
    path: 'M2 1h8v2.200L7.300 6 10 8.800V11H2V8.800L4.700 6 2 3.200Z',
    colour: 'text.secondary',
  },
};

/** How a part is: shape, colour and word. */
export function PartStateMark({ state }: { state: PartState }) {
  const { path, colour } = SHAPES[state];
  return (
    <Box
      component="span"
      sx={{ display: 'inline-flex', alignItems: 'center', gap: 0.75, fontSize: '0.8rem', fontWeight: 600 }}
    >
      <Box
        component="svg"
        viewBox="0 0 12 12"
        aria-hidden="true"
        sx={{ width: 12, height: 12, color: colour, flexShrink: 0 }}
      >
        <path d={path} fill="currentColor" fillRule="evenodd" />
      </Box>
      {operatorTexts.states[state]}
    </Box>
  );
}
