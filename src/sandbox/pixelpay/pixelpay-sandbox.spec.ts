import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { commissionOf, major } from './commission.js';
import { type PixelpaySandbox, startPixelpaySandbox } from './pixelpay-sandbox.js';
import { signatureOf } from './unfolding.js';

const SHOP = { key: 'pk_test_tienda01', publicKey: 'pub_test_tienda01', merchant: 'test_tienda01' };

let dataDir: string;
let sandbox: PixelpaySandbox;
const start = async (): Promise<void> => {
  sandbox = await startPixelpaySandbox({ dataDir });
  sandbox.settings.change({ completeAfterMs: null, pendingForMs: null, refundAfterMs: null });
};
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'pixelpay-'));
  await start();
});
afterEach(async () => {
  await sandbox.close();
  rmSync(dataDir, { recursive: true });
});

type Seen = { status: number; body: Record<string, unknown>; text: string };
async function ask(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Seen> {
  const response = await fetch(`${sandbox.url}${path}`, { method, headers: { 'content-type': 'application/json', ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await response.text();
  return { status: response.status, text, body: JSON.parse(text) as Record<string, unknown> };
}
const token = async (number = '4111111111111111'): Promise<string> =>
  (await ask('POST', '/v2/tokens', { public_key: SHOP.publicKey, card_number: number, cvv: '123', expiry_month: 12, expiry_year: 2030 })).body['card_token'] as string;
let orders = 0;
const pay = async (changes: object = {}, number?: string): Promise<Seen> =>
  ask('POST', '/v2/payments', { api_key: SHOP.key, amount: 12_900, currency: 'DOP', card_token: await token(number), customer_email: 'ana@ejemplo.do', order_id: `att_${++orders}`, ...changes });
const get = (path: string, key = SHOP.key): Promise<Seen> => ask('GET', path, undefined, { 'x-api-key': key });
const completed = async (): Promise<string> => {
  const id = (await pay()).body['txn_id'] as string;
  sandbox.panel.complete(id);
  return id;
};
const refund = (id: string, changes: object = {}): Promise<Seen> => ask('POST', `/v2/payments/${id}/refunds`, { api_key: SHOP.key, amount: 500, refund_id: `att_r${++orders}`, ...changes });

describe('a charge', () => {
  it('is accepted with the commission in major units, and stays pending in the books', async () => {
    const answer = await pay();
    expect(answer).toMatchObject({ status: 200, body: { status: 'success', commission: 1.94, net_amount: 127.06, currency: 'DOP', txn_id: expect.stringMatching(/^txn_pixel_/), auth_code: expect.stringMatching(/^AUTH/) } });
    expect(answer.text).toContain('"commission":1.94,"net_amount":127.06');
    expect(await get(`/v2/payments/${answer.body['txn_id'] as string}`)).toMatchObject({ status: 200, body: { status: 'pending', amount: 12_900, refunded_amount: 0, order_id: `att_${orders}` } });
  });

  it.each([
    ['4000000000000002', 'declined'], ['4000000000009995', 'insufficient'], ['4000000000000069', 'expired_card'], ['4000000000000127', 'invalid_card'], ['4000000000000119', 'fraud_detected'],
  ])('with the card %s is refused as %s with 402', async (number, code) => {
    expect(await pay({}, number)).toMatchObject({ status: 402, body: { status: code, error_code: code, error_message: expect.any(String) } });
  });

  it.each<[string, object, number, string]>([
    ['too little', { amount: 99 }, 422, 'invalid_amount'], ['too much', { amount: 5_000_001 }, 422, 'invalid_amount'], ['a fraction', { amount: 100.5 }, 422, 'invalid_amount'], ['text', { amount: '12900' }, 422, 'invalid_amount'],
    ['in another currency', { currency: 'PEN' }, 422, 'currency_error'], ['without a key', { api_key: undefined }, 401, 'api_key_invalid'], ['with the public key', { api_key: SHOP.publicKey }, 401, 'api_key_invalid'],
    ['with a token of nobody', { card_token: 'tok_x' }, 402, 'invalid_card'],
  ])('%s is refused', async (_what, changes, status, code) => {
    expect(await pay(changes)).toMatchObject({ status, body: { status: code } });
    expect(sandbox.books.payments()).toEqual([]);
  });

  it('with a pending card says so', async () => {
    expect(await pay({}, '4000000000003220')).toMatchObject({ status: 200, body: { status: 'pending' } });
  });

  it('under an order_id that is taken is answered as the first, byte for byte, and charges nothing', async () => {
    const [first, second] = [await pay({ order_id: 'att_same' }), await pay({ order_id: 'att_same', amount: 100 }, '4000000000000002')];
    expect([second.status, second.text]).toEqual([200, first.text]);
    expect(sandbox.books.payments()).toHaveLength(1);
    expect((await pay({ order_id: 'att_same', api_key: 'pk_test_tienda02', card_token: 'tok_x' })).status).toBe(402);
  });

  it.each(['network_error', 'rate_limit'])('may be answered with %s', async (code) => {
    sandbox.faults.add(code === 'rate_limit' ? { route: 'POST /v2/payments', kind: 'rate_limited' } : { route: 'POST /v2/payments', kind: 'error_before_booking', status: 502 });
    expect((await pay()).body).toMatchObject({ status: code });
  });
});

describe('a look-up', () => {
  it('finds by transaction and by order, for the merchant alone, and lags as it is told', async () => {
    const id = (await pay({ order_id: 'att_lagging' })).body['txn_id'] as string;
    expect((await get('/v2/payments?order_id=att_lagging')).body).toMatchObject({ txn_id: id });
    expect((await get(`/v2/payments/${id}`, 'pk_test_tienda02')).status).toBe(404);
    expect((await get(`/v2/payments/${id}`, 'nonsense')).status).toBe(401);
    sandbox.settings.change({ lookupLagMs: 60_000 });
    expect((await get(`/v2/payments/${id}`)).status).toBe(404);
  });
});

describe('a refund', () => {
  it('is pending until it is completed, never more than is left, and known by its id', async () => {
    const id = await completed();
    expect(await refund(id, { refund_id: 'att_r', amount: 12_000 })).toMatchObject({ status: 200, body: { status: 'pending', refund_id: 'att_r', txn_id: id } });
    expect((await refund(id, { refund_id: 'att_r', amount: 12_000 })).status).toBe(200);
    expect(await refund(id, { amount: 901 })).toMatchObject({ status: 422 });
    expect((await get(`/v2/payments/${id}/refunds/att_r`)).body).toMatchObject({ status: 'pending', amount: 12_000 });
    sandbox.panel.completeRefund(SHOP.merchant, 'att_r');
    expect((await get(`/v2/payments/${id}/refunds/att_r`)).body).toMatchObject({ status: 'completed' });
    expect((await get(`/v2/payments/${id}`)).body).toMatchObject({ refunded_amount: 12_000 });
    expect((await get(`/v2/payments/${id}/refunds/att_nobody`)).status).toBe(404);
  });

  it('of a payment that is not completed is refused', async () => {
    expect((await refund((await pay()).body['txn_id'] as string)).status).toBe(422);
  });
});

describe('webhooks', () => {
  let server: Server;
  let seen: { headers: IncomingHttpHeaders; body: string }[];
  beforeEach(async () => {
    seen = [];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => { body += chunk.toString(); });
      request.on('end', () => {
        seen.push({ headers: request.headers, body });
        response.end('{}');
      });
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    sandbox.webhooks.change('tienda01', { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
  });
  afterEach(() => { server.close(); });

  it('are signed over their bytes as documented (test vector)', () => {
    expect(signatureOf('whsec_emulator_0001', '{"event":"payment.completed","txn_id":"txn_pixel_000042","status":"completed","deposited_at":"2026-12-03T08:00:00Z"}'))
      .toBe('9f47dc669850974aed67be05e610d76b4741c0ce07da738d41f2312c908e67d9');
  });

  it('tell of the end of payments and refunds, of deposits, and of what is done in the panel', async () => {
    const id = await completed();
    sandbox.panel.deposit(id);
    await refund(id, { refund_id: 'att_told' });
    sandbox.panel.completeRefund(SHOP.merchant, 'att_told');
    sandbox.panel.refund(id, 100);
    sandbox.panel.fail((await pay()).body['txn_id'] as string);
    await sandbox.webhooks.idle();
    const events = seen.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(events.map(({ event }) => event)).toEqual(['payment.completed', 'payment.deposited', 'refund.completed', 'refund.completed', 'payment.failed']);
    expect(events[0]).toEqual({ event: 'payment.completed', txn_id: id, status: 'completed', deposited_at: expect.any(String) });
    expect(events[2]).toEqual({ event: 'refund.completed', refund_id: 'att_told', txn_id: id, amount: 500, status: 'completed' });
    for (const { headers, body } of seen) expect(headers['x-pixelpay-signature']).toBe(signatureOf('whsec_tienda01', body));
  });
});

it('the books outlive the process, and what was pending goes on', async () => {
  const id = (await pay()).body['txn_id'] as string;
  await sandbox.close();
  sandbox = await startPixelpaySandbox({ dataDir });
  expect(sandbox.books.payments()).toMatchObject([{ txn_id: id, status: 'pending' }]);
  sandbox.panel.complete(id);
  await sandbox.close();
  await start();
  expect(sandbox.books.payments()).toMatchObject([{ txn_id: id, status: 'completed' }]);
});

it('the page of the books shows what is in them, and nothing in them is markup', async () => {
  await pay({ order_id: '<script>x</script>' });
  const response = await fetch(`${sandbox.url}/_control/page`);
  const page = await response.text();
  expect(response.headers.get('content-type')).toContain('text/html');
  expect(page).toContain('&lt;script&gt;x');
  expect(page).not.toContain('<script>');
});

it.each([[4_900, 74, 48.26], [12_900, 194, 127.06], [100, 2, 0.98], [33, 0, 0.33]])('the commission of %d is %d', (amount, commission, net) => {
  expect(commissionOf(amount, { commissionBps: 150, commissionFixed: 0 })).toBe(commission);
  expect(major(amount - commission)).toBe(net);
});
