import { createTheme } from '@mui/material/styles';
import { MAP_PALETTES } from './palette';

const FONT =
  'Inter, "Segoe UI", system-ui, -apple-system, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif';

export const theme = createTheme({
  cssVariables: { colorSchemeSelector: 'data-theme' },
  colorSchemes: {
    light: {
      palette: {
        primary: { main: '#1b5cc4' },
        error: { main: '#c41f32' },
        background: { default: MAP_PALETTES.light.outside, paper: '#ffffff' },
        text: { primary: '#17202b', secondary: '#505d6b' },
        divider: '#dbe1e8',
      },
    },
    dark: {
      palette: {
        // The darker ones are for buttons under the pointer: dark words on them stay readable.
        primary: { main: '#7fb0ff', dark: '#6c9ff2' },
        error: { main: '#ff7a83', dark: '#f0666f' },
        background: { default: MAP_PALETTES.dark.outside, paper: '#141b23' },
        text: { primary: '#e8edf2', secondary: '#a3afbc' },
        divider: '#2a3541',
      },
    },
  },
  shape: { borderRadius: 10 },
  typography: {
    fontFamily: FONT,
    h1: { fontSize: '1.05rem', fontWeight: 650, letterSpacing: '-0.01em' },
    h2: { fontSize: '0.8rem', fontWeight: 600, letterSpacing: '0.01em' },
    body2: { fontSize: '0.84rem' },
    caption: { fontSize: '0.75rem' },
    button: { textTransform: 'none', fontWeight: 550 },
  },
  components: {
    MuiButtonBase: { defaultProps: { disableRipple: true } },
    MuiPaper: { defaultProps: { elevation: 0 }, styleOverrides: { root: { backgroundImage: 'none' } } },
    MuiDialogTitle: {
      styleOverrides: { root: { fontSize: '1.15rem', fontWeight: 650, letterSpacing: '-0.01em' } },
    },
    MuiToggleButton: {
      styleOverrides: {
        root: ({ theme }) => ({
          color: theme.vars?.palette.text.secondary,
          backgroundColor: theme.vars?.palette.background.paper,
          textTransform: 'none',
          '&.Mui-selected': { color: theme.vars?.palette.text.primary },
        }),
      },
    },
    MuiTooltip: { defaultProps: { enterDelay: 500, arrow: true } },
    MuiCssBaseline: {
      styleOverrides: {
        body: { fontVariantNumeric: 'tabular-nums' },
        '@media (prefers-reduced-motion: reduce)': {
          '*, *::before, *::after': { animation: 'none !important', transition: 'none !important' },
        },
      },
    },
  },
});
