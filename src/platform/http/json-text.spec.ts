import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from '../../shared/problem.js';
import { DEPTH_MAX, readJson } from './json-text.js';

const read = (text: string): unknown => readJson(Buffer.from(text));

function refusal(bytes: string | Buffer): { code: string; field: string | undefined } {
  try {
    readJson(Buffer.from(bytes as string));
  } catch (error) {
    if (error instanceof Problem) return { code: error.code, field: error.errors?.[0]?.field };
    throw error;
  }
  throw new Error('the body was accepted');
}

const nested = (depth: number): string => '[{"a":'.repeat(depth / 2) + '1' + '}]'.repeat(depth / 2);

describe('a JSON body', () => {
  it('is read as JSON.parse reads it, whatever its blanks and escapes', () => {
    const names = fc.string().filter((name) => !(name in {}) && name !== 'prototype');
    const numbers = fc.oneof(fc.maxSafeInteger(), fc.double({ min: -1e15, max: 1e15, noNaN: true, noDefaultInfinity: true }));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 8, withCrossShrink: true }, fc.string({ unit: 'binary' }), numbers, fc.boolean(), fc.constant(null),
        fc.array(tie('value'), { maxLength: 5 }), fc.dictionary(names, tie('value'), { maxKeys: 5, noNullPrototype: true })),
    }));
    fc.assert(fc.property(value, fc.constantFrom('', ' ', '\t', '\r\n  '), fc.boolean(), (given, blank, escaped) => {
      const plain = JSON.stringify(given, null, blank);
      const text = escaped ? plain.replace(/[^\x20-\x7e\s]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`) : plain;
      expect(read(text)).toEqual(JSON.parse(text));
    }), { numRuns: 500 });
  });

  it('is accepted only when JSON.parse accepts it', () => {
    const pieces = fc.array(fc.constantFrom('{', '}', '[', ']', ':', ',', '"a"', '"b"', '1', '-0.5', 'true', 'null', ' ', '"', '\\', '\u0000', '01', "'a'", '/**/'), { maxLength: 8 });
    fc.assert(fc.property(pieces, (parts) => {
      const text = parts.join('');
      let expected: unknown;
      try { expected = JSON.parse(text); } catch { expect(refusal(text).code).toBe('malformed_json'); return; }
      let value: unknown;
      try { value = read(text); } catch (error) { expect((error as Problem).code).toBe('duplicate_property'); return; }
      expect(value).toEqual(expected);
    }), { numRuns: 2_000 });
  });

  it.each([
    ['nothing', ''], ['a byte order mark', '\ufeff{}'], ['a trailing comma', '{"a":1,}'], ['a comment', '{}//'], ['two values', '{}{}'], ['an unclosed bomb', '['.repeat(200_000)],
  ])('is refused as malformed with %s', (_, text) => {
    expect(refusal(text).code).toBe('malformed_json');
  });

  it('is refused as malformed when it is not UTF-8', () => {
    expect(refusal(Buffer.from([0x22, 0xff, 0x22])).code).toBe('malformed_json');
    expect(refusal(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])).code).toBe('malformed_json');
    expect(refusal(Buffer.from('{"a":"é"}', 'latin1')).code).toBe('malformed_json');
  });

  it('may be twenty deep and no deeper', () => {
    expect(read(nested(DEPTH_MAX))).toEqual(JSON.parse(nested(DEPTH_MAX)));
    expect(refusal(`[${nested(DEPTH_MAX)}]`).code).toBe('json_too_deep');
    expect(refusal('['.repeat(120_000) + ']'.repeat(120_000)).code).toBe('json_too_deep');
  });

  it('has no property twice, however the name is escaped', () => {
    expect(refusal('{"amount":1,"amount":100}')).toEqual({ code: 'duplicate_property', field: 'amount' });
    expect(refusal('{"items":[{},{"price":{"a":1,"\\u0061":2}}]}')).toEqual({ code: 'duplicate_property', field: 'items.1.price.a' });
    expect(read('{"a":{"a":[{"a":1},{"a":"a"}]}}')).toEqual({ a: { a: [{ a: 1 }, { a: 'a' }] } });
  });

  it.each(['__proto__', 'constructor', 'prototype', 'toString', '\\u005f_proto__'])('has no property %s', (name) => {
    expect(refusal(`{"metadata":{"${name}":{"admin":true}}}`)).toMatchObject({ code: 'validation_failed', field: expect.stringMatching(/^metadata\./) as unknown });
  });

  it.each(['9007199254740992', '9007199254740993', '-9007199254740993', '1e400', '-1e309', '1e22', '0.10000000000000000555', '9223372036854775808', '1.00000000000000000001', `1${'0'.repeat(50)}`, '1e-400'])(
    'is refused when its number %s would change', (number) => {
      expect(refusal(`{"amount":${number}}`)).toEqual({ code: 'validation_failed', field: 'amount' });
    },
  );

  it.each(['9007199254740991', '-9007199254740991', '12900', '1.29e4', '0.1', '-0', '0.000', '1E+2', '1e-7', '123456789012.25', '10.010'])('keeps the number %s', (number) => {
    expect(read(`[${number}]`)).toEqual([Number(number)]);
  });

  it('is refused when a text or a name holds half a surrogate pair', () => {
    expect(refusal('{"customer":{"firstName":"\\ud83d"}}')).toEqual({ code: 'validation_failed', field: 'customer.firstName' });
    expect(refusal('{"\\udc00":1}').code).toBe('validation_failed');
    expect(read('"\\ud83d\\ude00"')).toBe('😀');
  });

  it('never has a card number of its own repeated in the field', () => {
    expect(refusal('{"4111111111111111":1,"4111111111111111":1}').field).toBe('[card number]');
  });

  it('is read in linear time', () => {
    const texts = [`"${'\\"'.repeat(120_000)}"`, `[${'0,'.repeat(120_000)}0]`, `1${'0'.repeat(250_000)}`, `{${Array.from({ length: 20_000 }, (_, i) => `"${i}":1`).join()}}`, `"${'\\\\'.repeat(120_000)}"`];
    for (const text of texts) {
      const startedMs = performance.now();
      try { read(text); } catch (error) { expect(error).toBeInstanceOf(Problem); }
      expect(performance.now() - startedMs).toBeLessThan(2_000);
    }
  });
});
