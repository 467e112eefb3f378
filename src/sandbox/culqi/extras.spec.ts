import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type CulqiSandbox, startCulqiSandbox } from './culqi-sandbox.js';
import { type JsonObject } from './field-rules.js';
import { type Seen, sendRaw } from './raw-client.js';
import { idsOf, Shop } from './shop.js';

let nowMs: number;
let sandbox: CulqiSandbox;
let shop: Shop;
beforeEach(async () => {
  nowMs = 1_796_000_000_000;
  sandbox = await startCulqiSandbox({ nowMs: () => nowMs });
  shop = new Shop(sandbox.url);
});
afterEach(() => sandbox.close());

const post = (path: string, body: JsonObject, key = shop.secretKey): Promise<Seen> => sendRaw(sandbox.url, { method: 'POST', path, key, body });
const refund = (chargeId: string, amount = 500): Promise<Seen> => post('/v2/refunds', { amount, charge_id: chargeId, reason: 'duplicado' });

describe('the list of refunds', () => {
  it('is newest first, in pages, without a count, and each merchant\'s own', async () => {
    const { id } = await shop.paid();
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      nowMs += 1_000;
      ids.push(((await refund(id, 100)).json as { id: string }).id);
    }
    const first = await shop.get('/v2/refunds?limit=2');
    expect(idsOf(first)).toEqual([ids[2], ids[1]]);
    expect(first.json).toMatchObject({ paging: { remaining_items: null, cursors: { after: ids[1] } } });
    expect(idsOf(await shop.get(`/v2/refunds?limit=2&after=${ids[1]}`))).toEqual([ids[0]]);
    expect(idsOf(await shop.get(`/v2/refunds?creation_date_from=${nowMs}`))).toEqual([ids[2]]);
    expect(idsOf(await new Shop(sandbox.url, 'tienda02').get('/v2/refunds'))).toEqual([]);
    expect((await shop.get('/v2/refunds?creation_date_from=x')).status).toBe(422);
  });

  it('shows what a person does in the panel', async () => {
    const { id } = await shop.paid();
    sandbox.panel.refund(id, 700);
    expect(await shop.get('/v2/refunds')).toMatchObject({ json: { data: [{ charge_id: id, amount: 700 }] } });
    expect(await shop.get(`/v2/charges/${id}`)).toMatchObject({ json: { amount_refunded: 700 } });
  });
});

describe('a Yape token', () => {
  const mint = (fields: JsonObject = {}): Promise<Seen> => post('/v2/tokens/yape', { number_phone: '900000001', otp: '654321', amount: 2_000, ...fields }, shop.publicKey);
  const token = async (fields: JsonObject = {}): Promise<string> => ((await mint(fields)).json as { id: string }).id;

  it('is charged once, for the amount that was approved, in soles, at once', async () => {
    const id = await token();
    expect(id).toMatch(/^ype_test_[0-9A-Za-z]{16}$/);
    expect(await shop.charge({ source_id: id, currency_code: 'USD' })).toMatchObject({ status: 422, json: { param: 'currency_code' } });
    expect(await shop.charge({ source_id: id, amount: 2_001 })).toMatchObject({ status: 422, json: { param: 'amount' } });
    expect(await shop.charge({ source_id: id, capture: false })).toMatchObject({ status: 422, json: { param: 'capture' } });
    expect(await shop.charge({ source_id: id })).toMatchObject({ status: 201, json: { source: { type: 'yape' }, fraud_score: null, installments_amount: null } });
    expect((await shop.charge({ source_id: id })).status).toBe(400);
  });

  it('lives two minutes', async () => {
    const id = await token();
    nowMs += 2 * 60_000;
    expect((await shop.charge({ source_id: id })).status).toBe(400);
  });

  it.each([['number_phone', '123'], ['otp', '12345'], ['amount', 0]])('without a right %s is refused', async (field, value) => {
    expect(await mint({ [field]: value })).toMatchObject({ status: 422, json: { param: field } });
  });
});

describe('customers and cards', () => {
  const ANA = { first_name: 'Ana', last_name: 'Rojas', email: 'ana@ejemplo.pe', address: 'Avenida 1', address_city: 'Lima', country_code: 'PE', phone_number: '999000111' };
  const idIn = ({ json }: Seen): string => (json as { id: string }).id;

  it('a card is made of a token, which is used up, and charged again and again', async () => {
    const customer = idIn(await post('/v2/customers', ANA));
    const token = await shop.token();
    const card = await post('/v2/cards', { customer_id: customer, token_id: token });
    expect(card).toMatchObject({ status: 201, json: { object: 'card', active: true, customer_id: customer } });
    expect((await shop.charge({ source_id: token })).status).toBe(400);
    for (let i = 0; i < 2; i++) expect(await shop.charge({ source_id: idIn(card) })).toMatchObject({ status: 201, json: { source: { id: idIn(card), last_four: '1111' } } });
    expect(await shop.get(`/v2/customers/${customer}`)).toMatchObject({ status: 200, json: { cards: [{ id: idIn(card) }] } });
    expect(await sendRaw(sandbox.url, { method: 'DELETE', path: `/v2/cards/${idIn(card)}`, key: shop.secretKey })).toMatchObject({ status: 200, json: { deleted: true } });
    expect((await shop.charge({ source_id: idIn(card) })).status).toBe(400);
  });

  it('an e-mail is a customer\'s alone, and every field is required', async () => {
    await post('/v2/customers', ANA);
    expect((await post('/v2/customers', ANA)).status).toBe(400);
    for (const field of Object.keys(ANA)) expect(await post('/v2/customers', { ...ANA, [field]: undefined })).toMatchObject({ status: 422, json: { param: field } });
  });

  it('a card that is declined answers 400, not 402; one that must be authenticated 200', async () => {
    const customer = idIn(await post('/v2/customers', ANA));
    expect(await post('/v2/cards', { customer_id: customer, token_id: await shop.token('4000040000000008', '295') })).toMatchObject({ status: 400, json: { type: 'card_error', decline_code: 'insufficient_funds' } });
    const review = idIn(await shop.tokenise({ card_number: '4456530000001096', cvv: '111', email: 'review@culqi.com' }));
    expect(await post('/v2/cards', { customer_id: customer, token_id: review })).toMatchObject({ status: 200, json: { action_code: 'REVIEW' } });
  });
});

describe('webhooks', () => {
  let server: Server;
  let seen: { headers: IncomingHttpHeaders; body: { type: string; data: string | JsonObject; id: string } }[];
  beforeEach(async () => {
    seen = [];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => { body += chunk.toString(); });
      request.on('end', () => {
        seen.push({ headers: request.headers, body: JSON.parse(body) as (typeof seen)[number]['body'] });
        response.end('{}');
      });
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    sandbox.webhooks.change('tienda01', { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
  });
  afterEach(() => { server.close(); });

  it('carry their data as JSON in a string, in camelCase, and Basic credentials where they are set', async () => {
    sandbox.settings.change({ webhookAuth: { tienda01: 'user:secret' } });
    const { id } = await shop.paid({ metadata: { attempt_id: 'att_1' } });
    await refund(id);
    await sandbox.webhooks.idle();
    expect(seen.map(({ body }) => body.type)).toEqual(['charge.creation.succeeded', 'refund.creation.succeeded']);
    expect(JSON.parse(seen[0]?.body.data as string)).toMatchObject({ object: 'charge', id, originalAmount: 2_000, currency: 'PEN', metadata: { attempt_id: 'att_1' } });
    expect(JSON.parse(seen[1]?.body.data as string)).toMatchObject({ object: 'refund', chargeId: id, amount: 500 });
    expect(seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from('user:secret').toString('base64')}`);
    expect(new Set(seen.map(({ body }) => body.id)).size).toBe(2);
  });

  it('tell of what failed, was captured, and was let go of; as an object where that is set', async () => {
    sandbox.settings.change({ webhookData: 'object' });
    await shop.charge({ source_id: await shop.token('4000040000000008', '295') });
    const [first, second] = [await shop.paid({ capture: false }), await shop.paid({ capture: false })];
    await post(`/v2/charges/${first.id}/capture`, {});
    sandbox.panel.expire(second.id);
    await sandbox.webhooks.idle();
    expect(seen.map(({ body }) => body.type)).toEqual(['charge.creation.failed', 'charge.creation.succeeded', 'charge.creation.succeeded', 'charge.capture.succeeded', 'charge.expired']);
    expect(seen[4]?.body.data).toMatchObject({ id: second.id, refundedAmount: 2_000 });
  });
});

it('the payer\'s browser brings what a card that asks for it needs, and nothing for others', async () => {
  const review = (await shop.tokenise({ card_number: '4456530000001096', cvv: '111' })).json as { id: string };
  expect(sandbox.authenticate(review.id)).toMatchObject({ parameters3DS: { eci: '05', protocolVersion: '2.2.0' } });
  expect(sandbox.authenticate(await shop.token())).toMatchObject({ error: expect.any(String) });
});
