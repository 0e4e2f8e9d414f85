import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

/** Where the server (or `npm run mock`) listens while the page is served by `npm run dev`. */
const server = process.env.CORONAZ_SERVER ?? 'http://127.0.0.1:3000';

export default defineConfig({
  plugins: [react()],
  // Files are named from where the page is, so that it works below a prefix that a proxy takes off.
  base: './',
  // The server's content security policy allows no data: addresses in scripts and styles.
  build: { target: 'es2022', assetsInlineLimit: 0, sourcemap: false, chunkSizeWarningLimit: 900 },
  server: { proxy: { '/api': { target: server, ws: true }, '/data': server } },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.{ts,tsx}'] },
});
