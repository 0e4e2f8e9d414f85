/** A day by its number, or a time of the clock, as a visitor types it. */
export type TypedTime = { moment: number } | { ms: number };

const DAY_MS = 86_400_000;

/**
 * Reads '120' or 'Day 120' as a day, '9:41' or '09:41:07' as a time of the visitor's own clock: on the day of the
 * calendar that brings it into the run, else on the one that is nearest to the time on show. Undefined: it is neither.
 */
export function readTyped(
  text: string,
  { shownMs, firstMs, lastMs }: { shownMs: number; firstMs: number; lastMs: number },
): TypedTime | undefined {
  const trimmed = text.trim();
  const day = /^(?:day\s*)?(\d{1,15})$/i.exec(trimmed);
  if (day) return { moment: Number(day[1]) };
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(trimmed);
  if (clock === null) return undefined;
  const [hours, minutes, seconds] = [Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0)];
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  const at = new Date(shownMs);
  at.setHours(hours, minutes, seconds, 0);
  const near = [at.getTime() - DAY_MS, at.getTime(), at.getTime() + DAY_MS];
  // A time without seconds means its whole minute.
  const inside = near.filter((ms) => ms >= firstMs - 59_999 && ms <= lastMs);
  const nearest = (list: number[]) =>
    list.reduce((best, ms) => (Math.abs(ms - shownMs) < Math.abs(best - shownMs) ? ms : best));
  return { ms: nearest(inside.length > 0 ? inside : near) };
}
