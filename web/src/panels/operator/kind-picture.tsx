import Box from '@mui/material/Box';
import type { PartKind } from '../../api/operator';

/** A small drawing of each kind of part, in lines. */
const PATHS: Record<PartKind, string> = {
  devices:
    'M12 9.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5ZM7.500 16.500a6.400 6.400 0 0 1 0-9M16.500 7.500a6.400 6.400 0 0 1 0 9M4.600 19.400a10.500 10.500 0 0 1 0-14.800M19.400 4.600a10.500 10.500 0 0 1 0 14.800',
  broker: 'M4 5h16v4H4ZM4 10.500h16v4H4ZM4 16h16v4H4ZM7 7h4M7 12.500h7M7 18h2',
  ingest: 'M3.500 4h17l-6.500 8v6.500l-4 2V12Z',
  store:
    'M4.500 6c0-1.700 3.400-3 7.500-3s7.500 1.300 7.500 3-3.400 3-7.500 3-7.500-1.300-7.500-3Zm0 0v12c0 1.700 3.400 3 7.500 3s7.500-1.300 7.500-3V6M4.500 12c0 1.700 3.400 3 7.500 3s7.500-1.300 7.500-3',
  serve: 'M3 4.500h18v15H3ZM3 9h18M6 6.800h.100M9 6.800h.100M7 16l3-3.500 2.500 2.500 4.500-4',
};

export function KindPicture({ kind }: { kind: PartKind }) {
  return (
    <Box
      component="svg"
      viewBox="0 0 24 24"
      aria-hidden="true"
      sx={{ width: 30, height: 30, flexShrink: 0, color: 'primary.main' }}
    >
      <path
        d={PATHS[kind]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.600"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </Box>
  );
}
