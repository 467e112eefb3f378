import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CURRENCIES, isCurrency, minorUnitDigits } from './currency.js';
import { AMOUNT_MINOR_MAX, money, sameMoney, toJsonAmount } from './money.js';

const amounts = fc.bigInt({ min: 0n, max: AMOUNT_MINOR_MAX });
const currencies = fc.constantFrom(...CURRENCIES);

describe('money', () => {
  it('comes out of JSON as it went in, for every amount the API accepts', () => {
    fc.assert(fc.property(amounts, currencies, (amountMinor, currency) => {
      const shown = JSON.parse(JSON.stringify(toJsonAmount(money(amountMinor, currency).amountMinor))) as number;
      expect(BigInt(shown)).toBe(amountMinor);
    }));
  });

  it('is the same only in amount and currency', () => {
    fc.assert(fc.property(amounts, amounts, currencies, currencies, (a, b, one, other) => {
      expect(sameMoney(money(a, one), money(b, other))).toBe(a === b && one === other);
    }));
  });

  it.each([-1n, AMOUNT_MINOR_MAX + 1n, 0.5, Number.NaN, 2 ** 53])('is never made of %s', (amount) => {
    expect(() => money(amount, 'PEN')).toThrow(RangeError);
  });

  it.each(['pen', 'XXX', '', '__proto__', 'toString'])('is never in the currency "%s"', (currency) => {
    expect(isCurrency(currency)).toBe(false);
    expect(() => money(1n, currency)).toThrow(RangeError);
  });

  it('is never shown rounded', () => {
    expect(() => toJsonAmount(AMOUNT_MINOR_MAX + 1n)).toThrow(RangeError);
  });

  it.each([['PEN', 2], ['CLP', 0], ['PYG', 0], ['USD', 2]] as const)('has the minor unit of %s at %i digits', (currency, digits) => {
    expect(minorUnitDigits(currency)).toBe(digits);
  });
});
