import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { containsCardNumber, maskCardNumbers } from './card-number.js';

const NUMBERS = [
  '4111111111111111', '4222222222222', '4000000000000000006', '5555555555554444', '2223003122003222', '378282246310005', '36259600000004', '30569309025904',
  '6011111111111117', '3530111333300000', '6200000000000005', '6759649826438453', '5066991111111118',
];

describe('a card number in a text', () => {
  it.each(NUMBERS)('is found: %s', (number) => {
    expect(containsCardNumber(number)).toBe(true);
    expect(containsCardNumber(`paid with ${number}, thanks`)).toBe(true);
    expect(containsCardNumber(number.replace(/(.{4})/g, '$1 ').trim())).toBe(true);
    expect(containsCardNumber(number.replace(/(.{4})/g, '$1-').replace(/-$/, ''))).toBe(true);
    expect(containsCardNumber([...number].join('\u00a0'))).toBe(true);
  });

  it('is found behind other digits and before its expiry date', () => {
    expect(maskCardNumbers('order 12345 4111 1111 1111 1111 12/29')).toBe('order 12345 [card number] 12/29');
    expect(maskCardNumbers('4111111111111111 5555555555554444')).toBe('[card number] [card number]');
    expect(maskCardNumbers('"4111111111111111"+4222222222222/')).toBe('"[card number]"+[card number]/');
  });

  it('is found wherever it stands in a text that does not touch it', () => {
    const around = fc.string({ unit: fc.constantFrom(...' \n:;,/()[]{}"\'+*#@áé') }).map((text) => text.replace(/\p{L}/gu, ' '));
    fc.assert(fc.property(around, fc.constantFrom(...NUMBERS), around, (before, number, after) => {
      expect(containsCardNumber(before + number + after)).toBe(true);
    }));
  });

  it.each(['x', 'ñ', '7', '_', '.', '-', '𝒜', '٣'])('is none when "%s" touches it', (touching) => {
    expect(containsCardNumber(`${touching}4111111111111111`)).toBe(false);
    expect(containsCardNumber(`4111111111111111${touching}`)).toBe(false);
  });

  it.each([
    ['a wrong check digit', '4111111111111112'], ['no issuer', '9999999999999995'], ['a length its issuer does not use', '411111111111116'],
    ['twelve digits', '411111111111'], ['twenty digits', '41111111111111111111'], ['only the last four', '1111'],
  ])('is none with %s', (_, text) => {
    expect(containsCardNumber(text)).toBe(false);
  });

  it('is not seen in ids: UUIDs, hexadecimal, our own, PSP tokens', () => {
    const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 24, maxLength: 64 }).filter((id) => /[a-f]/.test(id.slice(0, 12)) && /[a-f]/.test(id.slice(-12)));
    const decimal = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 30 });
    fc.assert(fc.property(fc.oneof(fc.uuid(), hex, decimal.map((digits) => `tkn_test_${digits}`), decimal.map((digits) => `pay_${digits}`)), (id) => {
      expect(containsCardNumber(id)).toBe(false);
    }), { numRuns: 2_000 });
  });

  it('is looked for in linear time', () => {
    const texts = ['1 '.repeat(130_000), '1'.repeat(260_000), `1${' '.repeat(259_000)}x`, '4111-'.repeat(50_000), '4111111111111112 '.repeat(15_000)];
    for (const text of texts) {
      const startedMs = performance.now();
      containsCardNumber(text);
      expect(performance.now() - startedMs).toBeLessThan(2_000);
    }
  });
});
