import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SecretBox } from './secret-box.js';

const box = new SecretBox([{ kid: 'k2', key: randomBytes(32) }, { kid: 'k1', key: randomBytes(32) }]);

describe('a sealed secret', () => {
  it('opens for the tenant it was sealed for', () => {
    expect(box.open(box.seal('sk_test_ñ', 'ten_a'), 'ten_a')).toBe('sk_test_ñ');
  });

  it('does not open for another tenant', () => {
    expect(() => box.open(box.seal('secret', 'ten_a'), 'ten_b')).toThrow();
  });

  it('does not open when any of its bytes was changed', () => {
    const sealed = box.seal('secret', 'ten_a');
    const payload = Buffer.from(sealed.split('.')[2]!, 'base64url');
    for (let i = 0; i < payload.length; i++) {
      const altered = Buffer.from(payload);
      altered[i]! ^= 1;
      expect(() => box.open(`v1.k2.${altered.toString('base64url')}`, 'ten_a')).toThrow();
    }
  });

  it('is sealed with the first key, and still opens when that key has become the second', () => {
    const [first, second] = [{ kid: 'a', key: randomBytes(32) }, { kid: 'b', key: randomBytes(32) }];
    const sealed = new SecretBox([first]).seal('secret', 'ten_a');
    expect(sealed).toMatch(/^v1\.a\./);
    expect(new SecretBox([second, first]).open(sealed, 'ten_a')).toBe('secret');
    expect(() => new SecretBox([second]).open(sealed, 'ten_a')).toThrow('ENCRYPTION_KEYS');
  });

  it('never looks the same twice', () => {
    expect(box.seal('secret', 'ten_a')).not.toBe(box.seal('secret', 'ten_a'));
  });
});
