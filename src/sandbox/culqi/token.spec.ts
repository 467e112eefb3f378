import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type CulqiSandbox, startCulqiSandbox } from './culqi-sandbox.js';
import { sendRaw } from './raw-client.js';
import { Shop } from './shop.js';

describe('a card token', () => {
  let nowMs: number;
  let sandbox: CulqiSandbox;
  let shop: Shop;

  beforeEach(async () => {
    nowMs = Date.UTC(2026, 10, 22, 12);
    sandbox = await startCulqiSandbox({ nowMs: () => nowMs });
    shop = new Shop(sandbox.url);
  });

  afterEach(() => sandbox.close());

  it('shows the card masked and has the documented form', async () => {
    const seen = await shop.tokenise({ card_number: '371212121212122', cvv: '2841', metadata: { dni: '00000000' } });
    expect(seen).toMatchObject({
      status: 201,
      json: {
        object: 'token', type: 'card', creation_date: nowMs, card_number: '371212*****2122', last_four: '2122', active: true,
        iin: { bin: '371212', card_brand: 'Amex' }, metadata: { dni: '00000000' },
      },
    });
    expect((seen.json as { id: string }).id).toMatch(/^tkn_test_[0-9A-Za-z]{16}$/);
    expect(seen.text).not.toContain('371212121212122');
  });

  it.each([
    ['card_number', { card_number: '4111111111111112' }],
    ['card_number', { card_number: '6011111111111117' }],
    ['card_number', { card_number: '411111111111' }],
    ['card_number', { card_number: undefined }],
    ['cvv', { cvv: '12' }],
    ['cvv', { cvv: '12a' }],
    ['expiration_month', { expiration_month: '13' }],
    ['expiration_year', { expiration_year: '26' }],
    ['expiration_year', { expiration_month: '10', expiration_year: '2026' }],
    ['email', { email: 'a@b' }],
    ['email', { email: 'not an address' }],
    ['metadata', { metadata: { nested: {} } }],
  ])('is refused for its %s: %j', async (param, card) => {
    expect(await shop.tokenise(card)).toMatchObject({ status: 422, json: { object: 'error', type: 'parameter_error', param } });
    expect(sandbox.books.tokenCount()).toBe(0);
  });

  it('is given for a card that expires this very month', async () => {
    expect((await shop.tokenise({ expiration_month: 11, expiration_year: 2026 })).status).toBe(201);
  });

  it('pays once only', async () => {
    const source_id = await shop.token();
    expect((await shop.charge({ source_id })).status).toBe(201);
    expect(await shop.charge({ source_id })).toMatchObject({ status: 400, json: { type: 'invalid_request_error', code: 'invalid_token' } });
    expect(sandbox.books.charges()).toHaveLength(1);
  });

  it('is used up by a decline, too', async () => {
    const source_id = await shop.token('4000040000000008', '295');
    expect((await shop.charge({ source_id })).status).toBe(402);
    expect((await shop.charge({ source_id })).status).toBe(400);
    expect(sandbox.books.charges()).toHaveLength(1);
  });

  it('is not used up by a wrong parameter', async () => {
    const source_id = await shop.token();
    expect((await shop.charge({ source_id, amount: 1 })).status).toBe(422);
    expect((await shop.charge({ source_id })).status).toBe(201);
  });

  it('lives five minutes, or as long as the settings say', async () => {
    const [first, second, third] = [await shop.token(), await shop.token(), await shop.token()];
    nowMs += 299_999;
    expect((await shop.charge({ source_id: first })).status).toBe(201);
    nowMs += 1;
    expect(await shop.charge({ source_id: second })).toMatchObject({ status: 400, json: { code: 'invalid_token' } });
    sandbox.settings.change({ tokenLifetimeMs: 600_000 });
    expect((await shop.charge({ source_id: third })).status).toBe(201);
  });

  it('is worth nothing to another merchant, nor to the same one in the other environment', async () => {
    const source_id = await shop.token();
    for (const other of [new Shop(sandbox.url, 'tienda02'), new Shop(sandbox.url, 'tienda01', 'live')]) {
      expect((await other.charge({ source_id })).status).toBe(400);
      expect((await other.get(`/v2/tokens/${source_id}`)).status).toBe(404);
    }
    expect(await shop.get(`/v2/tokens/${source_id}`)).toMatchObject({ status: 200, json: { id: source_id } });
  });

  it('can be asked for from a shop page in a browser', async () => {
    expect((await shop.tokenise()).headers['access-control-allow-origin']).toBe('*');
    expect((await sendRaw(sandbox.url, { method: 'OPTIONS', path: '/v2/tokens' })).status).toBe(204);
  });
});
