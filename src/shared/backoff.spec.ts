import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fullJitterMs } from './backoff.js';

const whole = fc.record({ failures: fc.integer({ min: 1, max: 1_000 }), baseMs: fc.integer({ min: 1, max: 10_000 }), capMs: fc.integer({ min: 1, max: 3_600_000 }) });

describe('the wait before the next try', () => {
  it('lies between nothing and its ceiling, however often it failed', () => {
    fc.assert(fc.property(whole, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), ({ failures, baseMs, capMs }, random) => {
      const delayMs = fullJitterMs(failures, baseMs, capMs, () => random);
      expect(Number.isInteger(delayMs)).toBe(true);
      expect(delayMs).toBeGreaterThanOrEqual(0);
      expect(delayMs).toBeLessThanOrEqual(Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 40)));
    }));
  });

  it('can reach the ceiling, which doubles with each failure until the cap', () => {
    const ceilings = [1, 2, 3, 4, 5].map((failures) => fullJitterMs(failures, 100, 500, () => 0.999_999_9));
    expect(ceilings).toEqual([100, 200, 400, 500, 500]);
  });

  it('is spread, so that those who failed together do not come back together', () => {
    expect(fullJitterMs(3, 100, 10_000, () => 0)).toBe(0);
    expect(fullJitterMs(3, 100, 10_000, () => 0.5)).toBe(200);
  });
});
