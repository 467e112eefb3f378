import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CulqiSandbox, startCulqiSandbox } from './culqi-sandbox.js';
import { Shop } from './shop.js';

const OK = ['4111111111111111', '4111111110101113', '5111111111111118', '371212121212122', '36001212121210'];
const DECLINED = [
  ['4000020000000000', '354', 'stolen_card'], ['4000030000000009', '836', 'lost_card'], ['4000030000000009', '360', 'lost_card'],
  ['4000040000000008', '295', 'insufficient_funds'], ['5400000000000005', '492', 'contact_issuer'], ['5400020000000003', '203', 'incorrect_cvv'],
  ['370001000000000', '2511', 'issuer_not_available'], ['370002000000008', '1810', 'issuer_decline_operation'], ['36000000000008', '683', 'invalid_card'],
  ['36000100000007', '820', 'processing_error'], ['36000200000006', '230', 'fraudulent'],
] as const;
const REFUSED = [
  ['4111110000000013', 'DNGE0087'], ['4111110000000021', 'CULQ0001'], ['4111110000000039', 'CULQ0003'], ['4111110000000047', 'PREV0009'],
  ['4111110000000054', 'PREV0091'], ['4111110000000062', 'PREV0001'], ['4111110000000070', 'DNGA0323'],
] as const;
const ASKS_3DS = [
  ['4456530000001096', 201], ['5200000000001096', 201], ['4456530000001005', 201], ['5200000000001005', 201],
  ['4456530000001070', 402], ['5200000000001070', 402], ['4456530000001013', 402], ['5200000000001013', 402],
] as const;
const AUTHENTICATION = { eci: '05', xid: 'eGlk', cavv: 'Y2F2dg==', protocolVersion: '2.2.0', directoryServerTransactionId: 'd1f2' };

describe('the published test cards of Culqi', () => {
  let sandbox: CulqiSandbox;
  let shop: Shop;

  beforeAll(async () => {
    sandbox = await startCulqiSandbox();
    shop = new Shop(sandbox.url);
  });

  afterAll(() => sandbox.close());

  it.each(OK)('%s pays', async (number) => {
    const seen = await shop.charge({ source_id: await shop.token(number) });
    expect(seen).toMatchObject({ status: 201, json: { object: 'charge', outcome: { type: 'venta_exitosa', code: 'AUT0000' }, source: { last_four: number.slice(-4) } } });
  });

  it.each(DECLINED)('%s with CVV %s tokenises, is declined with %s, and the failed charge can be looked up', async (number, cvv, declineCode) => {
    const seen = await shop.charge({ source_id: await shop.token(number, cvv), metadata: { attempt_id: number } });
    expect(seen).toMatchObject({ status: 402, json: { object: 'error', type: 'card_error', code: 'card_declined', decline_code: declineCode } });
    const chargeId = (seen.json as { charge_id: string }).charge_id;
    const stored = await shop.get(`/v2/charges/${chargeId}`);
    expect(stored).toMatchObject({ status: 200, json: { id: chargeId, capture: null, metadata: { attempt_id: number } } });
    const { outcome } = stored.json as { outcome: { decline_code: string } | null };
    expect(outcome?.decline_code ?? null).toBe(declineCode === 'processing_error' ? null : declineCode);
  });

  it.each(REFUSED)('%s is refused and its stored outcome says %s', async (number, outcomeCode) => {
    const seen = await shop.charge({ source_id: await shop.token(number) });
    expect(seen).toMatchObject({ status: 402, json: { type: 'card_error' } });
    const stored = await shop.get(`/v2/charges/${(seen.json as { charge_id: string }).charge_id}`);
    expect(stored.json).toMatchObject({ outcome: { code: outcomeCode } });
  });

  it.each(ASKS_3DS)('%s asks for 3DS under the review e-mail, and once authenticated the same token gives %i', async (number, status) => {
    const charge = { source_id: await shop.token(number, '111'), email: 'review@culqi.com' };
    const before = sandbox.books.charges().length;
    const first = await shop.charge(charge);
    expect(first).toMatchObject({ status: 200, json: { action_code: 'REVIEW' } });
    expect(sandbox.books.charges()).toHaveLength(before);
    const second = await shop.charge({ ...charge, authentication_3DS: AUTHENTICATION });
    expect(second.status).toBe(status);
    expect(sandbox.books.charges()).toHaveLength(before + 1);
  });

  it('a 3DS card under any other e-mail pays without being asked', async () => {
    expect((await shop.charge({ source_id: await shop.token('4456530000001096', '111') })).status).toBe(201);
  });

  it('a 3DS result in the wrong letters is a missing one', async () => {
    const seen = await shop.charge({ source_id: await shop.token('4456530000001096', '111'), authentication_3DS: { ...AUTHENTICATION, cavv: undefined, CAVV: 'x' } });
    expect(seen).toMatchObject({ status: 422, json: { param: 'cavv' } });
  });

  it('a live key cannot charge a test card', async () => {
    const live = new Shop(sandbox.url, 'tienda01', 'live');
    expect(await live.charge()).toMatchObject({ status: 402, json: { decline_code: 'culqi_card' } });
    expect(sandbox.books.charges('live_tienda01')).toMatchObject([{ merchant: 'live_tienda01', approved: false }]);
  });
});
