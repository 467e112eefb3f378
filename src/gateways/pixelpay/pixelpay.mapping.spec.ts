import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { money } from '../../shared/money.js';
import { minorUnitsOf } from '../contract/decimal.js';
import { JsonNumber, parseExactly } from '../contract/exact-json.js';
import { declineOf, feesOf, fraudScoreOf, RESPONSE_CODES } from './pixelpay.mapping.js';

describe('a decimal of PixelPay', () => {
  it.each<[string, bigint]>([
    ['0.74', 74n], ['48.26', 4_826n], ['1.94', 194n], ['127.06', 12_706n], ['1.1', 110n], ['12', 1_200n], ['0', 0n], ['0.00', 0n], ['0e999', 0n], ['1e2', 10_000n], ['1E+2', 10_000n],
    ['1.5e1', 1_500n], ['74e-2', 74n], ['0.740', 74n], ['10.0000000000', 1_000n], ['0.29', 29n], ['1.15', 115n], ['4.35', 435n], ['90071992547409.91', 9_007_199_254_740_991n],
  ])('%s is %d minor units', (text, minor) => {
    expect(minorUnitsOf(text, 'DOP')).toBe(minor);
  });

  it.each([
    '0.005', '1.935', '74e-3', '-1', '-0.74', '90071992547409.92', '99999999999999999999', '1e38', '1e999999999', '1e-999999999', `1.${'0'.repeat(60)}`, '', '.5', '1.', '1,94', ' 1', '0x10', 'NaN', '1_000', '٣',
  ])('%j is no exact amount, and none is made of it', (text) => {
    expect(minorUnitsOf(text, 'DOP')).toBeNull();
  });

  it('has as many digits as its currency', () => {
    expect([minorUnitsOf('12', 'CLP'), minorUnitsOf('12.5', 'CLP'), minorUnitsOf('12', 'EUR')]).toEqual([12n, null, 1_200n]);
  });

  it('is exactly its rational number of minor units, or nothing', () => {
    const decimal = fc.record({ whole: fc.bigInt({ min: 0n, max: 10n ** 15n }), fraction: fc.stringMatching(/^[0-9]{0,6}$/), exponent: fc.integer({ min: -6, max: 6 }), written: fc.boolean() });
    fc.assert(fc.property(decimal, ({ whole, fraction, exponent, written }) => {
      const power = written ? exponent : 0;
      const text = `${whole}${fraction === '' ? '' : `.${fraction}`}${written ? `e${power}` : ''}`;
      // The value × 100 as numerator / denominator: an oracle of its own, with one common denominator.
      const denominator = 10n ** 12n;
      const numerator = BigInt(whole + fraction.padEnd(6, '0')) * 10n ** BigInt(power + 6) * 100n;
      const exact = numerator % denominator === 0n && numerator / denominator <= BigInt(Number.MAX_SAFE_INTEGER) ? numerator / denominator : null;
      expect(minorUnitsOf(text, 'USD')).toBe(exact);
    }), { numRuns: 1_000 });
  });

  it('comes back from every way to write an amount, through the JSON it arrives in', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: BigInt(Number.MAX_SAFE_INTEGER) }), fc.integer({ min: 0, max: 3 }), (minor, zeros) => {
      const digits = String(minor).padStart(3, '0');
      const plain = `${digits.slice(0, -2)}.${digits.slice(-2)}${'0'.repeat(zeros)}`;
      for (const text of [plain, `${minor}e-2`, `${minor * 10n}E-3`]) {
        const { commission } = parseExactly(`{"commission":${text}}`, []) as { commission: JsonNumber };
        expect(minorUnitsOf(commission.text, 'DOP')).toBe(minor);
      }
    }), { numRuns: 1_000 });
  });
});

describe('fees', () => {
  const number = (text: string): JsonNumber => new JsonNumber(text);
  it.each<[string, string, bigint, object]>([
    ['0.74', '48.26', 4_900n, { fee: money(74n, 'DOP'), net: money(4_826n, 'DOP') }],
    ['1.94', '127.06', 12_900n, { fee: money(194n, 'DOP'), net: money(12_706n, 'DOP') }],
    ['0', '49', 4_900n, { fee: money(0n, 'DOP'), net: money(4_900n, 'DOP') }],
    ['0.735', '48.265', 4_900n, {}],
    ['0.74', '48.265', 4_900n, { fee: money(74n, 'DOP') }],
    ['0.74', '48.25', 4_900n, { fee: money(74n, 'DOP') }],
    ['50', '-1', 4_900n, {}],
  ])('a commission of %s and a net amount of %s of %d', (commission, net, amount, expected) => {
    expect(feesOf({ commission: number(commission), net_amount: number(net) }, 'DOP', money(amount, 'DOP'))).toEqual(expected);
  });

  it('are unknown in an unknown currency, and when none are named', () => {
    expect([feesOf({ commission: number('1') }, 'XXX', null), feesOf({ commission: number('1') }, null, null), feesOf({ net_amount: number('1') }, 'DOP', null)]).toEqual([{}, {}, {}]);
  });
});

it.each<[string | null, number | undefined]>([['0', 0], ['12.5', 12.5], ['100', 100], ['100.1', undefined], ['-1', undefined], ['1e999', undefined], [null, undefined]])('a fraud score of %s is %s', (text, expected) => {
  expect(fraudScoreOf(text === null ? null : new JsonNumber(text))).toBe(expected);
});

it('a refusal under an unknown word is a plain decline under that word, `__proto__` and a word of another kind too', () => {
  for (const word of ['do_not_honor', '__proto__', 'constructor', 'rate_limit']) expect(declineOf(word, null)).toMatchObject({ code: 'card_declined', pspCode: word, retryable: false });
});

describe('a JSON text', () => {
  it('keeps its numbers digit by digit, wherever they stand', () => {
    expect(JSON.stringify(parseExactly('{"a":1.10,"b":[9007199254740993],"c":"1.10","d":null}', []))).toBe('{"a":"1.10","b":["9007199254740993"],"c":"1.10","d":null}');
  });

  it('hides the secrets it repeats, escaped ones too', () => {
    expect(parseExactly(String.raw`{"message":"no \u0070k_live_1 and pk_live_1"}`, ['pk_live_1'])).toEqual({ message: 'no [hidden] and [hidden]' });
  });

  it.each(['', '<html>', '{', '{"a":01}', '[',  '['.repeat(500_000)])('that is none is nothing', (body) => {
    expect(parseExactly(body, [])).toBeUndefined();
  });
});

// psp/pixelpay.md §§2.1 and 2.4: the twelve codes, each with the HTTP status it comes with.
it.each<[string, number]>([
  ['success', 200], ['pending', 200], ['declined', 402], ['insufficient', 402], ['invalid_card', 402], ['expired_card', 402], ['fraud_detected', 402], ['network_error', 502], ['invalid_amount', 422], ['currency_error', 422],
  ['rate_limit', 429], ['api_key_invalid', 401],
])('the documented response code %s comes with %d', (code, status) => {
  expect(RESPONSE_CODES[code]?.httpStatus).toBe(status);
  expect(Object.keys(RESPONSE_CODES)).toHaveLength(12);
});
