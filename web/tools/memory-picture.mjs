// The samples of tools/memory.mjs as an SVG: a curve for each kind of memory, MB over minutes.
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [720, 300, 52, 40, 16];
const CURVES = [
  ['rendererMb', 'renderer process', '#1f5fd0'],
  ['privateMb', 'its private part', '#00838f'],
  ['serveMb', 'serve', '#7a4fbf'],
  ['heapMb', 'JavaScript heap', '#c8102e'],
  ['buffersMb', 'array buffers', '#2e7d32'],
];

/** A picture of what has been sampled until now. */
export function memoryPicture(samples) {
  const most = Math.max(1, ...samples.flatMap((one) => CURVES.map(([name]) => one[name] || 0)));
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((size) => most / size <= 8) ?? 2000;
  const top = Math.ceil(most / step) * step;
  const last = Math.max(1, samples.at(-1).minute);
  const x = (minute) => LEFT + ((WIDTH - LEFT - 150) * minute) / last;
  const y = (mb) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * mb) / top;
  const grid = Array.from({ length: top / step + 1 }, (_, i) => i * step).map(
    (mb) =>
      `<path d="M${LEFT} ${y(mb)}H${x(last)}" stroke="#ccc"/><text x="${LEFT - 6}" y="${y(mb) + 4}" text-anchor="end">${mb}</text>`,
  );
  const minutes = Array.from({ length: 7 }, (_, i) => Math.round((i * last) / 6)).map(
    (minute) => `<text x="${x(minute)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${minute}</text>`,
  );
  const labels = CURVES.map(([name]) => y(samples.at(-1)[name] || 0));
  // Names of curves that end close together are moved apart, from the top down.
  const order = [...labels.keys()].sort((a, b) => labels[a] - labels[b]);
  order.forEach((at, i) => {
    const above = labels[order[i - 1]];
    if (above !== undefined) labels[at] = Math.max(labels[at], above + 15);
  });
  const curves = CURVES.map(([name, words, colour], i) => {
    const points = samples.map((one) => `${x(one.minute).toFixed(1)},${y(one[name] || 0).toFixed(1)}`);
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/><text x="${x(last) + 8}" y="${labels[i] + 4}" fill="${colour}">${words}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#444">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...grid,
    ...minutes,
    `<text x="${(LEFT + x(last)) / 2}" y="${HEIGHT - 6}" text-anchor="middle">minutes of live stream</text><text x="${LEFT}" y="12">MB</text>`,
    ...curves,
    '</svg>\n',
  ].join('\n');
}
