// Fails when what a first visit loads (the page, its scripts and styles, not what is loaded when asked) is too much.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const LIMIT_KB = 280;
const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const html = await readFile(`${dist}index.html`, 'utf8');
const files = [
  'index.html',
  ...[...html.matchAll(/(?:src|href)="(?:\.\/|\/)([^"]+\.(?:js|css))"/g)].map((match) => match[1]),
];
if (files.length < 3) throw new Error('index.html names no scripts and styles in the way that is looked for');
let total = 0;
for (const file of files) {
  const kb = gzipSync(await readFile(dist + file), { level: 9 }).length / 1000;
  total += kb;
  console.log(`${kb.toFixed(1).padStart(8)} kB  ${file}`);
}
console.log(`${total.toFixed(1).padStart(8)} kB  in all, of ${LIMIT_KB}`);
if (total > LIMIT_KB) {
  console.error(`the first load is ${total.toFixed(1)} kB gzip, more than ${LIMIT_KB}`);
  process.exit(1);
}
