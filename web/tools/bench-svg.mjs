// The original's way, to compare with: an SVG circle for each person, moved one by one.
import { openBrowser } from '../e2e/browser.mjs';

/** A plain SVG of a million people is not waited for any longer. */
const SVG_MS_MAX = 90_000;

/** A circle a person, placed anew for each frame. Undefined when a second frame is too long in coming. */
export async function benchSvg(people, watchMs) {
  const browser = await openBrowser({ viewport: { width: 1370, height: 970 } });
  const { page } = browser;
  await page.setContent('<body style="margin:0"></body>');
  const work = page.evaluate(svgWay, { people, ms: watchMs });
  const late = new Promise((done) => setTimeout(done, SVG_MS_MAX).unref());
  const seen = await Promise.race([work, late]);
  // What still works away at a million elements is not waited for.
  work.catch(() => {});
  await browser.close();
  return seen;
}

/** Runs in the page. */
async function svgWay({ people, ms }) {
  const name = 'http://www.w3.org/2000/svg';
  const painted = () =>
    new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))));
  const began = performance.now();
  const svg = document.createElementNS(name, 'svg');
  svg.setAttribute('viewBox', '0 0 1370 970');
  svg.setAttribute('width', '1370');
  svg.setAttribute('height', '970');
  const circles = Array.from({ length: people }, (_, person) => {
    const circle = document.createElementNS(name, 'circle');
    circle.setAttribute('r', '1');
    circle.setAttribute('fill', person % 20 === 0 ? '#c8102e' : '#1f5fd0');
    svg.append(circle);
    return circle;
  });
  const places = Float64Array.from(
    { length: 2 * people },
    (_, i) => Math.random() * (i % 2 === 0 ? 1370 : 970),
  );
  const place = () => {
    for (let person = 0; person < people; person += 1) {
      places[2 * person] += Math.random() - 0.5;
      circles[person].setAttribute('cx', places[2 * person]);
      circles[person].setAttribute('cy', places[2 * person + 1]);
    }
  };
  place();
  document.body.append(svg);
  let last = await painted();
  const first = last - began;
  const [scripts, gaps] = [[], []];
  for (const end = last + ms; last < end || gaps.length === 0; ) {
    const from = performance.now();
    place();
    scripts.push(performance.now() - from);
    const now = await painted();
    gaps.push(now - last);
    last = now;
  }
  return { first, scripts, gaps };
}
