import { describe, expect, it } from '@jest/globals';
import { systemClock, TimeWindow } from '../../shared/clock.js';
import { money } from '../../shared/money.js';
import { GatewayError } from '../contract/gateway-error.js';
import type { HttpAnswer, HttpRequest, PaymentOrder, PaymentSnapshot, SendHttp } from '../contract/payment-gateway.js';
import { PixelpayGateway } from './pixelpay.gateway.js';

const KEY = 'pk_live_emul0001';
const TOKEN = 'tok_a1b2c3d4e5f6';
const WEBHOOK_SECRET = 'whsec_emulator_0001';
const ID = 'txn_pixel_000042';

function gatewayOver(send: SendHttp): PixelpayGateway {
  return new PixelpayGateway({
    credentials: { apiKey: KEY, publicKey: 'pub_emul0001', webhookSecret: WEBHOOK_SECRET }, environment: 'production', settings: {}, hosts: { api: new URL('http://pixelpay.example:8080') },
    send, window: TimeWindow.open(systemClock, 1_000), now: () => new Date(),
  });
}

/** A transport that gives one answer and remembers what it was asked. */
function answering(status: number, body: unknown): { gateway: PixelpayGateway; requests: HttpRequest[] } {
  const requests: HttpRequest[] = [];
  const answer: HttpAnswer = { status, headers: {}, body: typeof body === 'string' ? body : JSON.stringify(body) };
  return { requests, gateway: gatewayOver((request) => { requests.push(request); return Promise.resolve(answer); }) };
}

const order: PaymentOrder = {
  attemptId: 'att_1', paymentId: 'pay_1', amount: money(12_900n, 'DOP'), capture: 'automatic', method: { type: 'card', token: TOKEN, installments: 1 },
  description: 'Plan básico', customer: { email: 'ana@ejemplo.do' },
};
const create = (status: number, body: unknown): Promise<PaymentSnapshot> => answering(status, body).gateway.createPayment(order);

/** The answers of psp/pixelpay.md §§2.1 and 2.4, as texts: the digits matter. */
const ACCEPTED = `{"status":"success","txn_id":"${ID}","auth_code":"AUTH042","commission":1.94,"net_amount":127.06,"currency":"DOP","timestamp":"2026-11-22T15:00:00Z"}`;
const STORED = `{"status":"completed","txn_id":"${ID}","order_id":"att_1","amount":12900,"currency":"DOP","commission":1.94,"net_amount":127.06,"auth_code":"AUTH042","refunded_amount":0,"fraud_score":12,"timestamp":"2026-11-22T15:00:09Z"}`;
const failure = (status: string): object => ({ status, error_code: status, error_message: 'no' });

describe('a charge', () => {
  it('goes out as the documented body and nothing else, key and all', async () => {
    const { gateway, requests } = answering(200, ACCEPTED);
    await gateway.createPayment(order);
    const [{ method, url, headers, body } = {} as HttpRequest] = requests;
    expect([method, url.href, headers]).toEqual(['POST', 'http://pixelpay.example:8080/v2/payments', { accept: 'application/json', 'user-agent': 'smartpay', 'content-type': 'application/json' }]);
    expect(body).toBe(
      `{"api_key":"${KEY}","amount":12900,"currency":"DOP","card_token":"${TOKEN}","customer_email":"ana@ejemplo.do","order_id":"att_1","description":"Plan básico","metadata":{"payment_id":"pay_1"}}`,
    );
    expect(requests).toHaveLength(1);
  });

  it('without a description names none', async () => {
    const { gateway, requests } = answering(200, ACCEPTED);
    await gateway.createPayment({ ...order, description: null });
    expect(JSON.parse(requests[0]?.body ?? '')).not.toHaveProperty('description');
  });

  it.each<[string, Partial<PaymentOrder>]>([['reserve money', { capture: 'manual' }], ['be paid in instalments', { method: { ...order.method, installments: 3 } }]])('that should %s is not sent', async (_what, change) => {
    const { gateway, requests } = answering(200, ACCEPTED);
    await expect(gateway.createPayment({ ...order, ...change })).rejects.toMatchObject({ kind: 'request_rejected' });
    expect(requests).toEqual([]);
  });

  it.each(['success', 'pending'])('answered with %s waits: no money is known to have moved', async (word) => {
    const snapshot = await create(200, ACCEPTED.replace('success', word));
    expect(snapshot).toMatchObject({
      status: 'pending', reference: ID, ourReference: null, amount: null, captured: null, refunded: null, fee: money(194n, 'DOP'), net: money(12_706n, 'DOP'), authorizationCode: 'AUTH042', pspCode: word,
    });
    expect(snapshot).not.toHaveProperty('unmapped');
    expect(snapshot).not.toHaveProperty('feeBreakdown');
  });

  it.each(['completed', 'approved', 'declined', 'SUCCESS', '__proto__'])('answered with 200 and "%s", which is not documented there, waits and carries the word', async (word) => {
    expect(await create(200, ACCEPTED.replace('success', word))).toMatchObject({ status: 'pending', unmapped: word, captured: null });
  });

  it.each<[string, string]>([
    ['declined', 'card_declined'], ['insufficient', 'insufficient_funds'], ['invalid_card', 'invalid_card'], ['expired_card', 'expired_card'], ['fraud_detected', 'fraud_suspected'], ['do_not_honor', 'card_declined'],
  ])('refused with %s is declined as %s, finally', async (word, code) => {
    expect(await create(402, failure(word))).toMatchObject({ status: 'declined', decline: { code, pspCode: word, message: 'no', retryable: false }, reference: null, captured: null });
  });

  it.each<[string, number, object]>([
    ['invalid_amount', 422, { kind: 'request_rejected', field: 'amount' }], ['currency_error', 422, { kind: 'request_rejected', field: 'currency' }], ['something_else', 422, { kind: 'request_rejected', field: undefined }],
    ['rate_limit', 429, { kind: 'rate_limited', retryAfterMs: 60_000 }], ['api_key_invalid', 401, { kind: 'credentials_rejected' }], ['network_error', 502, { kind: 'outcome_unknown' }],
  ])('%s with %i is trouble', async (word, httpStatus, expected) => {
    await expect(create(httpStatus, failure(word))).rejects.toMatchObject({ ...expected, pspCode: word, httpStatus });
  });
});

describe('what is sure after a charge', () => {
  const bodies: [string, unknown][] = [
    ['an empty body', ''], ['a page', '<html>Bad gateway</html>'], ['cut JSON', '{"status":"succ'], ['null', 'null'], ['a list', '[]'], ['an empty object', '{}'], ['a status that is none', '{"status":7}'], ['another form', '{"message":"x"}'],
  ];
  const unknown = [200, 201, 202, 204, 302, 400, 402, 403, 404, 408, 409, 422, 500, 502, 503, 504, 520];
  it.each(unknown.flatMap((status) => bodies.map(([what, body]): [number, string, unknown] => [status, what, body])))('%i with %s: nothing', async (status, _what, body) => {
    await expect(create(status, body)).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });

  it.each(bodies)('401 and 429 with %s: nothing was charged', async (_what, body) => {
    await expect(create(401, body)).rejects.toMatchObject({ kind: 'credentials_rejected' });
    await expect(create(429, body)).rejects.toMatchObject({ kind: 'rate_limited', retryAfterMs: 60_000 });
  });

  const words: [string, number][] = [
    ['success', 200], ['pending', 200], ['completed', 200], ['declined', 402], ['insufficient', 402], ['invalid_card', 402], ['expired_card', 402], ['fraud_detected', 402],
    ['network_error', 502], ['invalid_amount', 422], ['currency_error', 422], ['rate_limit', 429], ['api_key_invalid', 401],
  ];
  const contradictions = words.flatMap(([word, own]) => [201, 400, 401, 402, 404, 422, 429, 500, 502, 503].filter((status) => status !== own).map((status): [number, string] => [status, word]));
  it.each(contradictions)('%i that says "%s" contradicts itself: nothing', async (status, word) => {
    await expect(create(status, failure(word))).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });

  it.each([500, 503, 504])('%i in the form of a refusal: nothing', async (status) => {
    await expect(create(status, failure('internal'))).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });

  it.each<[string, string]>([
    ['without a transaction', ACCEPTED.replace('txn_id', 'id')], ['with a transaction that would leave its address', ACCEPTED.replace(ID, 'txn_../../x')], ['with a number for a status', ACCEPTED.replace('"success"', '200')],
  ])('a success %s: nothing', async (_what, body) => {
    await expect(create(200, body)).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });

  it.each(['not_contacted', 'outcome_unknown'] as const)('a transport that fails is heard: %s', async (kind) => {
    await expect(gatewayOver(() => Promise.reject(new GatewayError(kind, 'x'))).createPayment(order)).rejects.toMatchObject({ kind });
  });
});

describe('a look-up', () => {
  const fetched = (body: unknown, status = 200): Promise<PaymentSnapshot> => answering(status, body).gateway.fetchPayment(ID);
  const attempt = { attemptId: 'att_1', amount: order.amount, sentAt: new Date(), deadlineAt: new Date() };

  it('of a completed payment shows captured money, with its facts', async () => {
    expect(await fetched(STORED)).toMatchObject({
      status: 'captured', reference: ID, ourReference: 'att_1', amount: order.amount, captured: order.amount, refunded: money(0n, 'DOP'), fee: money(194n, 'DOP'), net: money(12_706n, 'DOP'),
      authorizationCode: 'AUTH042', pspCode: 'completed', fraudScore: 12,
    });
    expect(await fetched(STORED.replace('"refunded_amount":0', '"refunded_amount":4900'))).toMatchObject({ status: 'captured', refunded: money(4_900n, 'DOP') });
  });

  it('of a failed payment shows a decline, its reason where there is one, and no cost', async () => {
    const failed = STORED.replace('completed', 'failed');
    expect(await fetched(failed)).toMatchObject({ status: 'declined', decline: { code: 'card_declined', pspCode: 'failed' }, captured: null });
    expect(await fetched(failed)).not.toHaveProperty('fee');
    expect(await fetched(failed.replace('{', '{"error_code":"insufficient",'))).toMatchObject({ decline: { code: 'insufficient_funds', pspCode: 'insufficient' } });
  });

  it('of a pending payment waits; so does one with a word that nobody knows, which it carries', async () => {
    const pending = await fetched(STORED.replace('completed', 'pending'));
    expect(pending).toMatchObject({ status: 'pending', captured: null, amount: order.amount });
    expect(pending).not.toHaveProperty('unmapped');
    for (const word of ['success', 'refunded', 'in_review', 'toString']) expect(await fetched(STORED.replace('completed', word))).toMatchObject({ status: 'pending', unmapped: word, captured: null });
  });

  it('asks by transaction or by our attempt, with the key in a header only', async () => {
    const { gateway, requests } = answering(200, STORED);
    await gateway.fetchPayment(ID);
    expect(await gateway.findPayment(attempt)).toMatchObject({ status: 'captured', reference: ID, ourReference: 'att_1' });
    expect(requests.map(({ method, url, body }) => [method, url.href, body])).toEqual([
      ['GET', `http://pixelpay.example:8080/v2/payments/${ID}`, undefined], ['GET', 'http://pixelpay.example:8080/v2/payments?order_id=att_1', undefined],
    ]);
    for (const { headers } of requests) expect(headers).toEqual({ accept: 'application/json', 'user-agent': 'smartpay', 'x-api-key': KEY });
  });

  it('of what PixelPay does not know finds nothing', async () => {
    await expect(fetched(failure('not_found'), 404)).rejects.toMatchObject({ kind: 'payment_not_found' });
    expect(await answering(404, failure('not_found')).gateway.findPayment(attempt)).toBeNull();
  });

  it.each([['another word', failure('gone')], ['no word', '{}']])('in a 404 with %s shows nothing', async (_what, body) => {
    await expect(fetched(body, 404)).rejects.toMatchObject({ kind: 'outcome_unknown' });
    await expect(answering(404, body).gateway.findPayment(attempt)).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });

  it.each([['another', STORED.replace('att_1', 'att_2')], ['none', STORED.replace('"order_id":"att_1",', '')]])('by our id must show it: %s is no answer', async (_which, body) => {
    await expect(answering(200, body).gateway.findPayment(attempt)).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });

  it('shows another reference as it stands, for the caller to compare', async () => {
    expect(await fetched(STORED.replace('att_1', 'att_2'))).toMatchObject({ ourReference: 'att_2' });
    expect(await fetched(STORED.replace('"order_id":"att_1",', ''))).toMatchObject({ ourReference: null });
  });

  it.each<[string, number, unknown, string]>([
    ['a 404 of a proxy', 404, '<html>', 'outcome_unknown'], ['a 404 without a body', 404, '', 'outcome_unknown'], ['a 404 of another service', 404, { statusCode: 404, message: 'Not Found' }, 'outcome_unknown'],
    ['a 404 that says success', 404, failure('success'), 'outcome_unknown'], ['a list', 200, `[${STORED}]`, 'outcome_unknown'], ['no JSON', 200, '<html>', 'outcome_unknown'], ['an accepted charge without an amount', 200, ACCEPTED, 'outcome_unknown'],
    ['an amount with decimals', 200, STORED.replace('12900', '129.00'), 'outcome_unknown'], ['an amount that only a float makes whole', 200, STORED.replace('12900', '12900.0000000000001'), 'outcome_unknown'],
    ['an amount beyond 2^53', 200, STORED.replace('12900', '9007199254740993'), 'outcome_unknown'], ['a negative amount', 200, STORED.replace('12900', '-12900'), 'outcome_unknown'], ['an amount as text', 200, STORED.replace('12900', '"12900"'), 'outcome_unknown'],
    ['a server that fails', 503, '', 'outcome_unknown'], ['keys that are not accepted', 401, failure('api_key_invalid'), 'credentials_rejected'], ['too many requests', 429, failure('rate_limit'), 'rate_limited'],
  ])('that meets %s shows nothing', async (_what, status, body, kind) => {
    await expect(fetched(body, status)).rejects.toMatchObject({ kind });
    await expect(answering(status, body).gateway.findPayment(attempt)).rejects.toMatchObject({ kind });
  });

  it('answered with another transaction than was asked for shows nothing', async () => {
    await expect(fetched(STORED.replace(ID, 'txn_pixel_000043'))).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });

  it.each<[string, string, object]>([
    ['1.94', '0.005', {}], ['1.94', '-1.94', {}], ['1.94', '"1.94"', {}], ['1.94', '1e999', {}], ['1.94', 'null', {}], ['1.94', '194e-2', { fee: money(194n, 'DOP'), net: money(12_706n, 'DOP') }], ['127.06', '127.060', { fee: money(194n, 'DOP'), net: money(12_706n, 'DOP') }],
    ['127.06', '127.055', { fee: money(194n, 'DOP') }],
  ])('with %s written as %s knows of the money what is exact', async (from, to, expected) => {
    const { fee, net } = await fetched(STORED.replace(`:${from}`, `:${to}`));
    expect({ ...(fee === undefined ? {} : { fee }), ...(net === undefined ? {} : { net }) }).toEqual(expected);
  });

  it('in a currency that nobody knows shows no amount', async () => {
    expect(await fetched(STORED.replace('DOP', 'XXX'))).toMatchObject({ status: 'captured', amount: null, captured: null, refunded: null });
  });
});

it.each(['../refunds', `${ID}/refunds`, `${ID}?x=1`, 'txn_%2e%2e', '', 'pay_1', `txn_${'x'.repeat(80)}`, 'txn_á'])('"%s" never becomes part of an address', async (id) => {
  const { gateway, requests } = answering(200, STORED);
  const operation = { attemptId: 'att_2', paymentId: 'pay_1', reference: id, amount: order.amount };
  const asked: (() => Promise<unknown>)[] = [
    () => gateway.fetchPayment(id), () => gateway.refundPayment({ ...operation, reason: 'duplicate' }),
    () => gateway.findRefund({ ...operation, sentAt: new Date(), deadlineAt: new Date(), refundedBefore: money(0n, 'DOP'), otherReferences: [] }),
  ];
  for (const ask of asked) await expect(Promise.resolve().then(ask)).rejects.toMatchObject({ kind: 'request_rejected' });
  expect(requests).toEqual([]);
});

describe('secrets', () => {
  const leaking = (status: string): object => ({
    status, error_code: `bad ${KEY}`, error_message: `key ${KEY} token ${TOKEN} ${WEBHOOK_SECRET}`, api_key: KEY, card_token: TOKEN, txn_id: ID, auth_code: KEY, timestamp: TOKEN, currency: KEY, order_id: KEY,
  });
  const shown = (value: unknown): string => `${String(value)} ${JSON.stringify(value, (_key, entry: unknown) => (typeof entry === 'bigint' ? String(entry) : entry))} ${value instanceof Error ? `${value.stack} ${JSON.stringify(value.cause)}` : ''}`;

  it.each<[number, string]>([[200, 'success'], [200, KEY], [402, 'declined'], [402, KEY], [422, KEY], [401, KEY], [429, 'rate_limit'], [500, KEY]])('are in nothing that an answer with %i and "%s" becomes, though it repeats them', async (status, word) => {
    const become: unknown = await create(status, leaking(word)).catch((error: unknown) => error);
    for (const secret of [KEY, TOKEN, WEBHOOK_SECRET]) expect(shown(become)).not.toContain(secret);
  });

  it('are in no trouble of the transport, the request\'s form or a webhook', () => {
    const caught: unknown[] = [];
    try {
      answering(200, '').gateway.readWebhook({ headers: { 'x-pixelpay-signature': '0'.repeat(64) }, query: {}, body: Buffer.from(KEY) });
    } catch (error) {
      caught.push(error);
    }
    expect(caught).toMatchObject([{ kind: 'webhook_rejected' }]);
    expect(shown(caught[0])).not.toMatch(/pk_live|whsec_/);
  });
});
