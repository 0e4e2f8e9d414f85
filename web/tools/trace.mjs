// Main-thread script of a page, from the browser's own trace.

/** Events that are the page's script running; they nest, so what counts is their union. */
const SCRIPT = new Set([
  'FunctionCall',
  'EvaluateScript',
  'RunMicrotasks',
  'v8.callFunction',
  'FireAnimationFrame',
]);

/** Records while `work` runs; returns what it returned, and the script between each two marks named `mark`, ms. */
export async function traceScript(browser, page, mark, work) {
  await browser.startTracing(page, {
    categories: ['devtools.timeline', 'v8', 'v8.execute', 'blink.user_timing'],
  });
  const result = await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  return { result, ...scriptBetween(traceEvents, mark) };
}

/**
 * In CPU time of the main thread, so that what else the machine does weighs little. Events nest: each counts what the
 * covered span around it has not.
 */
function scriptBetween(events, mark) {
  const marks = events.filter(({ name }) => name === mark);
  const own = events.filter(({ pid, tid }) => pid === marks[0]?.pid && tid === marks[0]?.tid);
  const spans = own
    .filter(({ ph, name, tdur }) => ph === 'X' && tdur > 0 && SCRIPT.has(name))
    .sort((a, b) => a.ts - b.ts || b.dur - a.dur);
  const times = marks.map(({ ts }) => ts).sort((a, b) => a - b);
  const sums = new Array(Math.max(0, times.length - 1)).fill(0);
  let [at, covered] = [0, 0];
  for (const { ts, dur, tdur } of spans) {
    if (ts + dur <= covered) continue;
    covered = ts + dur;
    while (at < sums.length && times[at + 1] <= ts) at += 1;
    if (at < sums.length && ts >= times[0]) sums[at] += tdur / 1000;
  }
  return { script: sums };
}
