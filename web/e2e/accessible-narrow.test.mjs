// axe-core finds nothing on any view of a narrow page, light and dark, and nothing is wider than it.
import { everyView } from './every-view.mjs';

const phone = { viewport: { width: 390, height: 844 } };
everyView('narrow and light', { colorScheme: 'light', ...phone });
everyView('narrow and dark', { colorScheme: 'dark', ...phone });
