// How long it takes from a device's contact to a visitor of the page: watches a run's live socket as the page does, and prints
// median, p99 and the largest delay. Both clocks are this machine's, so run it where the devices are.
//
//   node scripts/latency.mjs --url http://127.0.0.1:3000 [--run UUID] [--seconds 60] [--json]
//
// A contact counts as seen when the first frame of a moment arrives that includes it. Of a fleet, a tick's contacts have the tick's time.
// Devices with a radio have a time for each contact; they come in order of time, so the n-th contact is in the first moment that counts n of them.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const SEEN_SECONDS_MIN = 5;
/** The most moments the server gives at once. */
const POINTS_MAX = 20_000;

const { values: flags } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:3000" },
    run: { type: "string" },
    seconds: { type: "string", default: "60" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (flags.help) {
  console.log("node scripts/latency.mjs --url http://127.0.0.1:3000 [--run UUID] [--seconds 60] [--json]");
  process.exit(0);
}
const seconds = Number(flags.seconds);
if (!(seconds >= SEEN_SECONDS_MIN)) {
  console.error(`latency: --seconds is a number of at least ${SEEN_SECONDS_MIN}, not ${flags.seconds}`);
  process.exit(64);
}
if (!globalThis.WebSocket) {
  // Node.js 20 and 21 have one behind a flag.
  const again = spawnSync(process.execPath, ["--experimental-websocket", "--no-warnings", fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  process.exit(again.status ?? 70);
}

const get = async (path) => {
  const url = new URL(path, flags.url);
  // The server closes connections that were idle while we watched; the second try is on a new one.
  const ask = () => fetch(url, { headers: { "accept-encoding": "identity" } });
  const answer = await ask().catch(ask);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer;
};

/** Watches for the time asked for; the frames as [moment, its time, when it was here], the first of each moment. */
async function watch(run) {
  const frames = [];
  const socket = new WebSocket(new URL(`/api/v1/runs/${run}/live`, flags.url).href.replace(/^http/, "ws"));
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    const now = performance.timeOrigin + performance.now();
    if (typeof data === "string") return;
    const view = new DataView(data);
    socket.send(JSON.stringify({ type: "ack", seq: view.getUint32(56, true) }));
    const moment = Number(view.getBigUint64(8, true));
    if (moment > (frames.at(-1)?.[0] ?? -1)) frames.push([moment, Number(view.getBigInt64(16, true)), now]);
  };
  await new Promise((resolve, reject) => {
    socket.onerror = () => reject(new Error(`the live socket of ${run} at ${flags.url} failed`));
    socket.onclose = () => reject(new Error("the live socket was closed"));
    setTimeout(resolve, seconds * 1000);
  });
  socket.onclose = null;
  socket.close();
  // The first shows what was there before.
  return frames.slice(1);
}

/** Contacts so far by moment, of the moments watched. */
async function counts(run, first, last) {
  const counted = new Map();
  for (let from = first; from <= last; from += POINTS_MAX) {
    const to = Math.min(last, from + POINTS_MAX - 1);
    const answer = await get(`/api/v1/runs/${run}/statistics?from=${from}&to=${to}&points=${POINTS_MAX}`);
    const { moment, contacts } = await answer.json();
    moment.forEach((number, at) => counted.set(number, contacts[at]));
  }
  return counted;
}

/** The delay of each contact: [milliseconds, how many]. */
async function delays(about, frames) {
  const counted = await counts(about.id, Math.max(frames[0][0] - 1, 0), frames.at(-1)[0]);
  const found = [];
  if (about.kind === "fleet") {
    // Moments that were skipped came with the next frame.
    const seen = new Map(frames.map(([moment, , at]) => [moment, at]));
    const times = new Map(frames.map(([moment, time]) => [moment, time]));
    let at = 0;
    let time = 0;
    for (let moment = frames.at(-1)[0]; moment >= frames[0][0]; moment--) {
      at = seen.get(moment) ?? at;
      time = times.get(moment) ?? time - 1000;
      const contacts = (counted.get(moment) ?? 0) - (counted.get(moment - 1) ?? 0);
      if (contacts > 0) found.push([at - time, contacts]);
    }
    return found;
  }
  const csv = await (await get(`/api/v1/runs/${about.id}/export/contacts.csv`)).text();
  const [heading, ...rows] = csv.trim().split(/\r?\n/);
  const column = heading.split(",").indexOf("time_us");
  if (column < 0) throw new Error(`contacts.csv has no time_us: ${heading}`);
  const times = Float64Array.from(rows, (row) => Number(row.split(",")[column]) / 1000).sort();
  let next = counted.get(frames[0][0] - 1) ?? counted.get(frames[0][0]) ?? 0;
  for (const [moment, , at] of frames) {
    for (const until = counted.get(moment) ?? next; next < until; next++) found.push([at - times[next], 1]);
  }
  return found;
}

/** The delay that this share of the contacts does not exceed. */
function quantile(sorted, share) {
  const all = sorted.reduce((sum, [, many]) => sum + many, 0);
  let below = 0;
  for (const [late, many] of sorted) {
    below += many;
    if (below >= share * all) return late;
  }
  return sorted.at(-1)?.[0];
}

const { runs } = await (await get("/api/v1/runs")).json();
const about = flags.run ? runs.find(({ id }) => id.startsWith(flags.run)) : runs[0];
if (!about) {
  console.error(`latency: no run ${flags.run ?? ""} at ${flags.url}`);
  process.exit(69);
}
const frames = await watch(about.id);
if (frames.length < 2) {
  console.error(`latency: run ${about.id} had no new moment in ${seconds} s; is it going on?`);
  process.exit(69);
}
const sorted = (await delays(about, frames)).sort(([a], [b]) => a - b);
const pictures = frames.map(([, time, at]) => [at - time, 1]).sort(([a], [b]) => a - b);
const of = (list) => ({
  count: list.reduce((sum, [, many]) => sum + many, 0),
  median_ms: Math.round(quantile(list, 0.5) ?? NaN),
  p99_ms: Math.round(quantile(list, 0.99) ?? NaN),
  largest_ms: Math.round(list.at(-1)?.[0] ?? NaN),
});
const figures = { run: about.id, kind: about.kind, devices: about.nodes, seconds, contacts: of(sorted), frames: of(pictures) };
if (flags.json) {
  console.log(JSON.stringify(figures));
} else {
  console.log(`run ${about.id} (${about.kind}), ${about.nodes} devices, ${seconds} s`);
  for (const what of ["contacts", "frames"]) {
    const { count, median_ms, p99_ms, largest_ms } = figures[what];
    console.log(`${what.padEnd(9)} ${count}: median ${median_ms} ms, p99 ${p99_ms} ms, largest ${largest_ms} ms`);
  }
}
