import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, requestFingerprint } from './canonical-json.js';

function shuffled(value: unknown, order: (names: string[]) => string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, order));
  if (typeof value !== 'object' || value === null) return value;
  const members = value as Record<string, unknown>;
  return Object.fromEntries(order(Object.keys(members)).map((name) => [name, shuffled(members[name], order)]));
}

describe('the canonical form of a body', () => {
  it('is the same however its members are ordered and its text is spaced', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      const respelt = JSON.parse(JSON.stringify(shuffled(value, (names) => names.reverse()), null, 3)) as unknown;
      expect(canonicalJson(respelt)).toBe(canonicalJson(JSON.parse(JSON.stringify(value))));
    }));
  });

  it('is JSON of the same value, so that bodies that differ in value differ in form', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }));
  });

  it.each([
    ['absent and null', { a: 1 }, { a: 1, b: null }],
    ['a number and its text', { a: 1 }, { a: '1' }],
    ['an empty list and an empty object', [], {}],
    ['another order in a list', [1, 2], [2, 1]],
    ['a member moved inwards', { a: { b: 1 } }, { a: {}, b: 1 }],
  ])('keeps apart %s', (_difference, one, other) => {
    expect(requestFingerprint('POST /v1/payments', one).equals(requestFingerprint('POST /v1/payments', other))).toBe(false);
  });

  it('takes 1, 1.0 and 1e0 for the same number', () => {
    expect(canonicalJson(JSON.parse('{"a":1.0}'))).toBe(canonicalJson(JSON.parse('{"a":1e0}')));
  });
});

describe('the fingerprint of a request', () => {
  it('differs by route', () => {
    expect(requestFingerprint('POST /v1/payments/a/confirm', {}).equals(requestFingerprint('POST /v1/payments/b/confirm', {}))).toBe(false);
  });
});
