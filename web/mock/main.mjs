// npm run mock [-- --port 3000 --people 60 --crowd 1000000]
import { parseArgs } from 'node:util';
import { startMock } from './server.mjs';

const text = (value) => ({ type: 'string', default: value });
const { values } = parseArgs({
  options: {
    port: text('3000'),
    people: text('60'),
    history: text('90'),
    crowd: text('0'),
    step: text('1000'),
  },
});
const mock = await startMock({
  port: Number(values.port),
  people: Number(values.people),
  history: Number(values.history),
  crowd: Number(values.crowd),
  stepMs: Number(values.step),
});
console.log(`mock server: ${mock.url}`);
