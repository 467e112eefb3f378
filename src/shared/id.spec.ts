import { describe, expect, it } from '@jest/globals';
import { firstIdAt, isId, newId } from './id.js';

describe('an id', () => {
  it('is recognised under its own prefix only', () => {
    const id = newId('pay');
    expect(id).toHaveLength(30);
    expect(isId('pay', id)).toBe(true);
    expect(isId('att', id)).toBe(false);
    expect(isId('pay', `${id}x`)).toBe(false);
    expect(isId('pay', id.toUpperCase())).toBe(false);
  });

  it('sorts as bytes by the time it was made', () => {
    const ids = [0, 1, 31, 32, 1_000, 1_796_000_000_000, 1_796_000_000_001].map((nowMs) => newId('pay', nowMs));
    expect([...ids].sort()).toEqual(ids);
  });

  it('comes after the first of its time, and before the first of a later one', () => {
    expect([newId('pay', 999), firstIdAt('pay', 1_000), newId('pay', 1_000), firstIdAt('pay', 1_001)].sort()).toMatchObject([/^/, firstIdAt('pay', 1_000), /^/, firstIdAt('pay', 1_001)].map((part) => (typeof part === 'string' ? part : expect.any(String) as unknown)));
  });

  it('is never made twice (D11)', () => {
    expect(new Set(Array.from({ length: 10_000 }, () => newId('pay', 1))).size).toBe(10_000);
  });
});
