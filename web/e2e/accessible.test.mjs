// axe-core finds nothing on any view of a wide page, light and dark.
import { everyView } from './every-view.mjs';

everyView('wide and light', { colorScheme: 'light' });
everyView('wide and dark', { colorScheme: 'dark' });
