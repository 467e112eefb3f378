import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { feeOf, ruleFor, totalOf, type FeeRule } from './fees.js';
import { money } from './money.js';

const share = (percentBps: number, changes: Partial<FeeRule> = {}): FeeRule => ({ currency: 'USD', percentBps, ...changes });

describe('a fee', () => {
  // The brief's own examples, which a float gets wrong (trap T5).
  it.each<[amount: number, bps: number, fee: bigint]>([
    [4_900, 150, 74n], [12_900, 150, 194n], [100, 150, 2n], [33, 150, 0n], [34, 150, 1n], [1, 5_000, 1n], [0, 350, 0n], [5_000_000, 350, 175_000n], [12_900, 200, 258n], [12_900, 350, 452n],
  ])('of %d at %d basis points is %d', (amount, bps, fee) => {
    expect(totalOf(feeOf(money(amount, 'USD'), share(bps)))).toBe(fee);
  });

  it('counts the fixed part and the tax on both', () => {
    expect(feeOf(money(12_900, 'PEN'), { currency: 'PEN', percentBps: 344, fixed: { amount: 20, currency: 'USD', rate: '3.75' }, taxBps: 1_800 }))
      .toEqual({ percentMinor: 444n, fixedMinor: 75n, taxMinor: 93n });
    expect(feeOf(money(10_000, 'USD'), share(100, { fixed: { amount: 25, currency: 'USD' } }))).toEqual({ percentMinor: 100n, fixedMinor: 25n, taxMinor: 0n });
    // Guaraníes have no minor unit, dollars have two: 0.20 USD at 7300 are 1460 PYG.
    expect(feeOf(money(100_000, 'PYG'), { currency: 'PYG', percentBps: 0, fixed: { amount: 20, currency: 'USD', rate: '7300' } }).fixedMinor).toBe(1_460n);
    expect(feeOf(money(100_000, 'USD'), share(0, { fixed: { amount: 1_500, currency: 'CLP', rate: '0.00105' } })).fixedMinor).toBe(158n);
  });

  it('in another currency needs a rate', () => {
    expect(() => feeOf(money(100, 'USD'), share(0, { fixed: { amount: 1, currency: 'PEN' } }))).toThrow('needs a rate');
  });

  it('is the nearest minor unit of the exact rational number, and the larger of two equally near ones, in a million cases (F2)', () => {
    // A generator of its own (Numerical Recipes' constants), so that a failure can be repeated; amounts of every size up to the largest.
    let state = 20_261_124;
    const random = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0);
    let wrong = 0;
    for (let i = 0; i < 1_000_000; i++) {
      const amount = (BigInt(random()) << 21n | BigInt(random() & 0x1fffff)) >> BigInt(random() % 53);
      const bps = random() % 10_001;
      const { percentMinor } = feeOf({ amountMinor: amount, currency: 'USD' }, share(bps));
      // exact − fee, in units of 1/10000: more than −½, and less than ½; on a tie it is the upper one.
      const distance = amount * BigInt(bps) - percentMinor * 10_000n;
      if (distance >= 5_000n || distance < -5_000n) wrong += 1;
    }
    expect(wrong).toBe(0);
  });

  it('of every part adds up to itself', () => {
    const rule = fc.record({ amount: fc.bigInt({ min: 0n, max: 10n ** 12n }), bps: fc.integer({ min: 0, max: 10_000 }), fixed: fc.integer({ min: 1, max: 10_000 }), tax: fc.integer({ min: 0, max: 10_000 }) });
    fc.assert(fc.property(rule, ({ amount, bps, fixed, tax }) => {
      const parts = feeOf(money(amount, 'USD'), share(bps, { fixed: { amount: fixed, currency: 'USD' }, taxBps: tax }));
      const distance = (parts.percentMinor + parts.fixedMinor) * BigInt(tax) - parts.taxMinor * 10_000n;
      expect(parts.fixedMinor).toBe(BigInt(fixed));
      expect(distance < 5_000n && distance >= -5_000n).toBe(true);
      expect(totalOf(parts)).toBe(parts.percentMinor + parts.fixedMinor + parts.taxMinor);
    }), { numRuns: 2_000 });
  });
});

describe('the rule for a payment', () => {
  const rules: FeeRule[] = [share(100), share(50, { method: 'yape' }), share(200, { currency: 'DOP' })];
  it.each([['USD', 'card', 100], ['USD', 'yape', 50], ['DOP', 'yape', 200]] as const)('in %s by %s is that of %d', (currency, method, bps) => {
    expect(ruleFor(rules, currency, method)?.percentBps).toBe(bps);
  });
  it('is none for another currency', () => { expect(ruleFor(rules, 'PEN', 'card')).toBeUndefined(); });
});
