/** A number in [0, 1), injected so that tests decide it. */
export type Random = () => number;

/**
 * How long to wait before the next try, in milliseconds: uniformly random up to a ceiling that doubles from `baseMs` to `capMs`
 * ("full jitter": aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter). `failures` counts from 1.
 */
export function fullJitterMs(failures: number, baseMs: number, capMs: number, random: Random = Math.random): number {
  const ceilingMs = Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 30));
  return Math.floor(random() * (ceilingMs + 1));
}
