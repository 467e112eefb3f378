import { describe, expect, it } from '@jest/globals';
import { pixelpay } from './pixelpay.definition.js';

const credentials = { apiKey: 'pk_test_emul0001', publicKey: 'pub_test_emul0001', webhookSecret: 'whsec_emulator_0001' };

describe('credentials', () => {
  it('are the API key, the public key and the secret of webhooks', () => {
    expect(pixelpay.credentials.parse(credentials)).toEqual(credentials);
  });

  it.each<[string, object]>([
    ['the secret key where the public one belongs: it would be shown', { publicKey: 'pk_live_emul0001' }], ['the secret of webhooks where the public key belongs', { publicKey: 'whsec_emulator_0001' }],
    ['a blank', { apiKey: 'pk_test_ emul0001' }], ['a short secret', { webhookSecret: 'whsec_1' }], ['an unknown field', { secretKey: 'x' }], ['no secret of webhooks', { webhookSecret: undefined }],
  ])('with %s are refused', (_what, change) => {
    expect(pixelpay.credentials.safeParse({ ...credentials, ...change }).success).toBe(false);
  });

  it.each<[string, string, string | undefined]>([
    ['pk_test_1', 'pub_1', 'sandbox'], ['pk_live_1', 'pub_1', 'production'], ['pk_live_1', 'pub_live_1', 'production'], ['pk_live_1', 'pub_test_1', 'contradictory'], ['pk_test_1', 'pub_live_1', 'contradictory'],
    ['other', 'pub_test_1', 'sandbox'], ['other', 'pub_1', undefined],
  ])('%s with %s are made for %s', (apiKey, publicKey, expected) => {
    expect(pixelpay.environmentOf?.({ ...credentials, apiKey, publicKey })).toBe(expected);
  });

  it('show only the public key', () => {
    expect(pixelpay.publicCredentials).toEqual(['publicKey']);
  });
});

it('amounts go from 1.00 to 50000.00 in each currency of the brief', () => {
  const limits = { minMinor: 100n, maxMinor: 5_000_000n };
  expect(pixelpay.profile.limits).toEqual({ DOP: limits, USD: limits, EUR: limits });
});
