import createCache from '@emotion/cache';
import { CacheProvider } from '@emotion/react';
import CssBaseline from '@mui/material/CssBaseline';
import { ThemeProvider } from '@mui/material/styles';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { sessionQuery } from './api/operator-queries';
import { queryDefaults, runListQuery } from './api/queries';
import { MapHandleProvider } from './map/handle';
import { readAddress } from './routes/address';
import { Page } from './routes/page';
import { takeToken } from './routes/token-link';
import { useChoices } from './ui/choices';
import { theme } from './ui/theme';

// The server gives each answer of this page a fresh nonce; styles without it are refused.
const nonce = document.querySelector<HTMLMetaElement>('meta[name=csp-nonce]')?.content;
const cache = createCache({ key: 'cz', ...(nonce !== undefined && { nonce }) });
const client = new QueryClient(queryDefaults);
const map = { current: undefined };
const token = takeToken();
const start = readAddress(location.search);
useChoices.setState({
  page: start.page,
  compared: start.compare ?? [],
  comparing: start.compare !== undefined,
  realism: start.realism,
  shapes: start.shapes,
  person: start.person,
});

// What is asked first is on its way while the page is built.
void client.prefetchQuery(runListQuery);
void client.prefetchQuery(sessionQuery);

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no root');
createRoot(root).render(
  <StrictMode>
    <CacheProvider value={cache}>
      <ThemeProvider
        theme={theme}
        defaultMode={start.theme ?? 'system'}
        {...(start.theme && { modeStorageKey: 'coronaz-link' })}
      >
        <CssBaseline enableColorScheme />
        <QueryClientProvider client={client}>
          <MapHandleProvider value={map}>
            <Page start={start} token={token} />
          </MapHandleProvider>
        </QueryClientProvider>
      </ThemeProvider>
    </CacheProvider>
  </StrictMode>,
);
