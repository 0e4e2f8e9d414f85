import { useColorScheme } from '@mui/material/styles';
import { MAP_PALETTES, type MapPalette } from './palette';

/** The scheme that is on, whoever chose it. */
export function useScheme(): 'light' | 'dark' {
  const { mode, systemMode } = useColorScheme();
  return (mode === 'system' ? systemMode : mode) === 'dark' ? 'dark' : 'light';
}

export const useMapPalette = (): MapPalette => MAP_PALETTES[useScheme()];
