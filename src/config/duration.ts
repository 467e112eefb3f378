const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** One delay may be at most this long, in milliseconds; a longer one is a slip of the unit. */
const DELAY_MS_MAX = 366 * UNIT_MS.d;
const DELAYS_MAX = 100;

/** Reads delays such as `500ms,5s,1m,2h,1d` as milliseconds; null when one is not so written, is 0 or longer than a year, or there are over 100. */
export function parseSchedule(text: string): number[] | null {
  const delays = text.split(',').map((delay) => parseDelay(delay.trim()));
  return delays.length <= DELAYS_MAX && delays.every((delayMs) => delayMs !== null) ? delays : null;
}

function parseDelay(text: string): number | null {
  const [, count, unit] = /^([0-9]{1,12})(ms|s|m|h|d)$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) return null;
  const delayMs = Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  return delayMs > 0 && delayMs <= DELAY_MS_MAX ? delayMs : null;
}
