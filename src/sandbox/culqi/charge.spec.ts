import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Charge, feesOf } from './charge.js';
import { type CulqiSandbox, startCulqiSandbox } from './culqi-sandbox.js';
import { sendRaw } from './raw-client.js';
import { Shop } from './shop.js';

describe('charging at the Culqi emulator', () => {
  let sandbox: CulqiSandbox;
  let shop: Shop;

  beforeAll(async () => {
    sandbox = await startCulqiSandbox();
    shop = new Shop(sandbox.url);
  });

  afterAll(() => sandbox.close());

  it('answers 201 with the whole charge, in Culqi\'s own spelling', async () => {
    const antifraud_details = { first_name: 'Ana', last_name: 'Rojas', address: 'Av. 1 123', address_city: 'Lima', country_code: 'PE', phone_number: '999000111' };
    const source_id = await shop.token();
    const seen = await shop.charge({ source_id, antifraud_details, installments: 0, metadata: { attempt_id: 'att_1', order_id: '7001' } });
    const token = (await shop.get(`/v2/tokens/${source_id}`)).json;
    expect(seen.status).toBe(201);
    expect(seen.json).toEqual({
      duplicated: false, object: 'charge', id: expect.stringMatching(/^chr_test_[0-9A-Za-z]{16}$/), creation_date: expect.any(Number),
      amount: 2000, amount_refunded: 0, current_amount: 2000, installments: 1, installments_amount: 2000, currency_code: 'PEN',
      email: 'ana@ejemplo.pe', description: 'Pedido 7001', source: token,
      outcome: { type: 'venta_exitosa', code: 'AUT0000', merchant_message: expect.any(String), user_message: expect.any(String) }, fraud_score: 12,
      antifraud_details: { first_name: 'Ana', last_name: 'Rojas', address: 'Av. 1 123', address_city: 'Lima', country_code: 'PE', phone: '999000111', object: 'client' },
      dispute: false, capture: true, reference_code: expect.stringMatching(/^\w{10}$/), authorization_code: expect.stringMatching(/^\w{6}$/),
      metadata: { attempt_id: 'att_1', order_id: '7001' }, total_fee: 94,
      fee_details: { fixed_fee: {}, variable_fee: { currency_code: 'PEN', commision: 0.0399, total: 80 } },
      total_fee_taxes: 14, transfer_amount: 1906, paid: false, statement_descriptor: 'CULQI*', transfer_id: null, capture_date: null,
    });
    expect(seen.headers).toMatchObject({ 'x-culqi-version': '2.0.0', 'x-culqi-environment': 'test', 'x-culqi-tracking-id': expect.stringMatching(/^\d+$/) });
  });

  it.each([[1000, 40, 7], [2000, 80, 14], [300, 12, 2], [999_900, 39_896, 7_181]])('keeps of %i a fee of %i and taxes of %i', (amount, variable, taxes) => {
    expect(feesOf(amount)).toEqual({ variable, taxes });
  });

  it('knows no idempotency: the same order with a fresh token is charged again', async () => {
    const order = { metadata: { attempt_id: 'att_twice' } };
    const [first, second] = [await shop.paid(order), await shop.paid(order)];
    expect(first.id).not.toBe(second.id);
    expect(sandbox.books.charges().filter(({ metadata }) => metadata['attempt_id'] === 'att_twice')).toHaveLength(2);
  });

  it('takes digits for an amount, authorises only, and splits into installments', async () => {
    const charge = await shop.paid({ amount: '3000', currency_code: 'USD', capture: false, installments: 3 });
    expect(charge).toMatchObject({ amount: 3000, currency_code: 'USD', capture: false, installments: 3, installments_amount: 1000 });
  });

  it.each([
    ['amount', { amount: 299 }], ['amount', { amount: 999_901 }], ['amount', { amount: 10.5 }], ['amount', { amount: '12.00' }], ['amount', { amount: -500 }],
    ['amount', { amount: 99, currency_code: 'USD' }], ['amount', { amount: null }],
    ['currency_code', { currency_code: 'EUR' }], ['currency_code', { currency_code: undefined, currency: 'PEN' }],
    ['email', { email: 'x@y' }], ['email', { email: `${'a'.repeat(45)}@b.pe1` }],
    ['source_id', { source_id: 'tok_1' }],
    ['capture', { capture: 'false' }],
    ['description', { description: 'abcd' }], ['description', { description: 'x'.repeat(81) }],
    ['installments', { installments: 1 }], ['installments', { installments: 49 }],
    ['metadata', { metadata: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`k${i}`, 'v'])) }],
    ['metadata', { metadata: { ['k'.repeat(31)]: 'v' } }], ['metadata', { metadata: { k: 'v'.repeat(201) } }],
    ['first_name', { antifraud_details: { first_name: 'A' } }], ['address', { antifraud_details: { address: 'Av 1' } }],
    ['address_city', { antifraud_details: { address_city: 'L'.repeat(31) } }], ['country_code', { antifraud_details: { country_code: 'PER' } }],
    ['phone_number', { antifraud_details: { phone_number: '9'.repeat(16) } }],
    ['device_finger_print_id', { antifraud_details: { device_finger_print_id: 'x' } }],
  ])('refuses a wrong %s: %j', async (param, fields) => {
    const before = sandbox.books.charges().length;
    expect(await shop.charge(fields)).toMatchObject({ status: 422, json: { type: 'parameter_error', code: `invalid_${param}`, param } });
    expect(sandbox.books.charges()).toHaveLength(before);
  });

  it('takes other limits from the settings', async () => {
    sandbox.settings.change({ limits: { PEN: { min: 100, max: 500_000 } } });
    expect((await shop.charge({ amount: 100 })).status).toBe(201);
    expect((await shop.charge({ amount: 500_001 })).status).toBe(422);
    expect((await shop.charge({ amount: 99, currency_code: 'USD' })).status).toBe(422);
  });

  it('takes a used token again only where the settings say so', async () => {
    const order = { source_id: await shop.token() };
    expect((await shop.charge(order)).status).toBe(201);
    expect((await shop.charge(order)).status).not.toBe(201);
    sandbox.settings.change({ tokensStayGood: true });
    expect((await shop.charge(order)).status).toBe(201);
    sandbox.settings.change({ tokensStayGood: false });
  });

  it.each([
    ['POST', '/v2/charges', undefined], ['POST', '/v2/charges', 'pk_test_tienda01'], ['POST', '/v2/charges', 'sk_test_x'], ['POST', '/v2/charges', 'sk_prod_tienda01'],
    ['GET', '/v2/charges', 'pk_test_tienda01'], ['POST', '/v2/tokens', 'sk_test_tienda01'], ['GET', '/v2/tokens/tkn_test_0000000000000000', 'pk_test_tienda01'],
  ])('%s %s with the key %s is not authenticated', async (method, path, key) => {
    expect(await sendRaw(sandbox.url, { method, path, key, body: method === 'POST' ? {} : undefined }))
      .toMatchObject({ status: 401, json: { object: 'error', type: 'authentication_error', code: 'invalid_key' } });
  });

  it('hides a charge from every other merchant and from the other environment', async () => {
    const { id } = await shop.paid();
    for (const other of [new Shop(sandbox.url, 'tienda02'), new Shop(sandbox.url, 'tienda01', 'live')]) {
      expect(await other.get(`/v2/charges/${id}`)).toMatchObject({ status: 404, json: { type: 'resource_error' } });
      expect((await other.list()).json).toMatchObject({ data: [] });
    }
  });

  it('shows a charge on look-up with its operations, and without the payer\'s details', async () => {
    const { id } = await shop.paid();
    const found = await shop.get(`/v2/charges/${id}`);
    expect(found).toMatchObject({ status: 200, json: { id, operations: [], source: { client: { ip: null }, iin: { issuer: { name: null }, card_brand: 'Visa' } } } });
    expect(Object.keys(found.json as Charge)).not.toContain('merchant');
  });

  it.each([['not json', 400], ['[]', 400], ['', 400], [`{"x":"${'x'.repeat(1024 * 1024)}"}`, 413]])('refuses the body %.20s', async (body, status) => {
    expect((await sendRaw(sandbox.url, { method: 'POST', path: '/v2/charges', key: shop.secretKey, body })).status).toBe(status);
  });

  it.each([['DELETE', '/v2/refunds'], ['DELETE', '/v2/charges/chr_test_0000000000000000'], ['GET', '/'], ['GET', '//v2/charges']])('%s %s is no route', async (method, path) => {
    expect((await sendRaw(sandbox.url, { method, path, key: shop.secretKey })).status).toBe(404);
  });
});
