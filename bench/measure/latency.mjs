/** The latency that `percent` of all stay within, by nearest rank; null of none. */
export function percentile(latenciesMs, percent) {
  const sorted = [...latenciesMs].sort((a, b) => a - b);
  return sorted.length === 0 ? null : rounded(sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]);
}

/** One decimal of figures that are not exact to more, two of small ones. */
export function rounded(figure) {
  if (figure === null || figure === undefined || Number.isNaN(figure)) return null;
  const scale = Math.abs(figure) < 10 ? 100 : 10;
  return Math.round(figure * scale) / scale;
}

/** The middle one; of an even number, between the middle two. */
export function median(figures) {
  const sorted = [...figures].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return rounded((sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2);
}

/** How requests went: p50, p95, p99 and the longest, in ms. */
export function latencies(latenciesMs) {
  const [p50Ms, p95Ms, p99Ms, maxMs] = [50, 95, 99, 100].map((percent) => percentile(latenciesMs, percent));
  return { p50Ms, p95Ms, p99Ms, maxMs };
}
