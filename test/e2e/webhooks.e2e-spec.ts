import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPayment, eventually, mintPixelpayToken, mintToken, paidAtCulqi, paymentOf, pixelpayPaymentOf, readPayment, refundPayment, type PaymentBody } from '../support/payments.js';
import { newMerchantOfBoth, startService, type Answer, type Merchant, type Service } from '../support/service.js';
import { PLATFORM_ADMIN_KEY } from '../support/settings.js';

type EventBody = { id: string; gateway: string; type: string; eventId: string; status: string; proven: boolean; gatewayReference: string | null; paymentId: string | null; deliveries: number };

let service: Service;
let url: string;
let ana: Merchant;
// Look-ups by the schedule come so late that only a webhook can end a payment here.
beforeAll(async () => {
  service = await startService({ RESOLVE_SCHEDULE: '60s', LOOKUP_LAG_MS: '200' });
  await service.app.listen(0, '127.0.0.1');
  url = await service.app.getUrl();
});
afterAll(() => service.close());
beforeEach(async () => {
  ana = await newMerchantOfBoth(service.ask);
  service.pixelpay.faults.clear();
  service.sandbox.faults.clear();
  service.pixelpay.settings.change({ completeAfterMs: 200, refundAfterMs: 200 });
});

const deliver = (gateway: string, body: string | Buffer, headers: Record<string, string> = {}, tenantId = ana.tenantId): Promise<Answer<{ received?: boolean; code?: string }>> =>
  service.ask({ method: 'POST', path: `/webhooks/${gateway}/${tenantId}`, body, headers: { 'content-type': 'application/json', ...headers } });
const signed = (body: string, secret = ana.pixelpay.webhookSecret): Record<string, string> => ({ 'x-pixelpay-signature': createHmac('sha256', secret).update(body).digest('hex') });
const read = (id: string): Promise<PaymentBody> => readPayment(service, ana.client, id);
const events = async (query = ''): Promise<EventBody[]> => (await service.ask<{ data: EventBody[] }>({ path: `/v1/webhook-events${query}`, key: ana.operator })).body.data;
const eventsEnded = (): Promise<EventBody[]> => eventually(() => events(), (found) => found.length > 0 && found.every(({ status }) => status !== 'received'));
const listen = (changes: object = {}): void => { service.pixelpay.webhooks.change(ana.pixelpay.merchant, { url: `${url}/webhooks/pixelpay/${ana.tenantId}`, ...changes }); };
const pay = async (): Promise<PaymentBody> => (await createPayment(service, ana.client, pixelpayPaymentOf(await mintPixelpayToken(service.pixelpay.url, ana)))).body;
const captured = (id: string): Promise<PaymentBody> => eventually(() => read(id), ({ status }) => status === 'captured', 5_000);

describe('a webhook of PixelPay', () => {
  it('ends a payment, by making us ask', async () => {
    listen();
    const payment = await pay();
    expect(payment.status).toBe('processing');
    expect(await captured(payment.id)).toMatchObject({ status: 'captured', amountCaptured: 12_900 });
    expect(await eventsEnded()).toMatchObject([{ gateway: 'pixelpay', type: 'payment.completed', status: 'processed', proven: true, paymentId: payment.id, deliveries: 1 }]);
    const timeline = await service.ask<{ data: { kind: string; detail: string; cause: string }[] }>({ path: `/v1/payments/${payment.id}/timeline`, key: ana.client });
    expect(timeline.body.data).toContainEqual(expect.objectContaining({ kind: 'webhook', detail: 'payment.completed', cause: 'pixelpay' }));
    expect(timeline.body.data).toContainEqual(expect.objectContaining({ kind: 'transition', cause: 'webhook' }));
  });

  it('that comes before the answer to the charge is neither lost nor an error (B3)', async () => {
    listen();
    service.pixelpay.settings.change({ completeAfterMs: 0 });
    service.pixelpay.faults.add({ route: 'POST /v2/payments', kind: 'delayed', delayMs: 500 });
    const payment = await pay();
    expect(await captured(payment.id)).toMatchObject({ status: 'captured' });
    expect((await eventsEnded())[0]).toMatchObject({ status: 'processed', paymentId: payment.id });
  });

  it('whose charge has no reply finds the payment all the same', async () => {
    listen();
    service.pixelpay.faults.add({ route: 'POST /v2/payments', kind: 'reset_after_booking' });
    const payment = await pay();
    expect(payment.status).toBe('processing');
    expect(await captured(payment.id)).toMatchObject({ status: 'captured', gatewayReference: service.pixelpay.books.payments(ana.pixelpay.merchant)[0]?.txn_id });
  });

  it('delivered a hundred times is one event with one effect (B1)', async () => {
    listen({ copies: 20 });
    const payment = await pay();
    await captured(payment.id);
    await service.pixelpay.webhooks.idle();
    const body = service.pixelpay.webhooks.sent(ana.pixelpay.merchant)[0]?.body ?? '';
    const answers = await Promise.all(Array.from({ length: 80 }, () => deliver('pixelpay', body, signed(body))));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 80 }, () => 200));
    const [event, ...others] = await eventsEnded();
    expect([event?.deliveries, others]).toEqual([100, []]);
    const fetches = service.pixelpay.books.requests(ana.pixelpay.merchant).filter(({ method, path }) => method === 'GET' && path.startsWith('/v2/payments/'));
    expect(fetches.length).toBeLessThan(6);
  });

  it('in another order, of refund and payment, ends as PixelPay has it (B2)', async () => {
    listen({ delayMs: 700, order: 'reversed' });
    const payment = await pay();
    await eventually(() => service.pixelpay.books.payments(ana.pixelpay.merchant)[0], (booked) => booked?.status === 'completed');
    service.pixelpay.panel.refund(payment.gatewayReference ?? '', 900);
    service.pixelpay.panel.deposit(payment.gatewayReference ?? '');
    await captured(payment.id);
    const shown = await eventually(() => read(payment.id), ({ refunds }) => refunds.length > 0);
    expect(shown).toMatchObject({ status: 'captured', amountRefunded: 900, refunds: [{ origin: 'gateway' }] });
    expect((await eventsEnded()).map(({ type, status }) => [type, status]).sort()).toEqual([['payment.completed', 'processed'], ['payment.deposited', 'processed'], ['refund.completed', 'processed']]);
  });

  it('tells that a refund is completed', async () => {
    listen();
    const payment = await captured((await pay()).id);
    const { body } = await refundPayment(service, ana.client, payment.id, { amount: 500 });
    expect(body.status).toBe('submitted');
    expect(await eventually(() => read(payment.id), ({ amountRefunded }) => amountRefunded === 500, 5_000)).toMatchObject({ amountRefunded: 500, amountRefundPending: 0, refunds: [{ id: body.id, origin: 'api', status: 'succeeded' }] });
  });

  it('while PixelPay cannot be asked is kept, and processed later (B12)', async () => {
    listen();
    service.pixelpay.faults.add({ route: 'GET /v2/payments/:id', kind: 'error_before_booking', times: 1 });
    const payment = await pay();
    await eventually(() => events(), (found) => found.length === 1);
    expect((await events())[0]).toMatchObject({ status: 'received' });
    const [event] = await events();
    const replayed = await service.ask<EventBody>({ method: 'POST', path: `/v1/webhook-events/${event?.id}/replay`, key: ana.operator });
    expect([replayed.status, replayed.body.status]).toEqual([200, 'received']);
    expect(await captured(payment.id)).toMatchObject({ status: 'captured' });
  });

  it('of a payment that we do not know is stored, and touches nothing (B5)', async () => {
    const body = JSON.stringify({ event: 'payment.completed', txn_id: 'txn_unknown_1', status: 'completed' });
    expect(await deliver('pixelpay', body, signed(body))).toMatchObject({ status: 200, body: { received: true } });
    const foreign = await newMerchantOfBoth(service.ask);
    const theirs = (await createPayment(service, foreign.client, pixelpayPaymentOf(await mintPixelpayToken(service.pixelpay.url, foreign)))).body;
    const stolen = JSON.stringify({ event: 'payment.completed', txn_id: theirs.gatewayReference, status: 'completed' });
    expect((await deliver('pixelpay', stolen, signed(stolen))).status).toBe(200);
    expect((await events()).map(({ paymentId }) => paymentId)).toEqual([null, null]);
  });

  it('of more events than are dealt with at once leaves none behind', async () => {
    const payment = await pay();
    const events_ = Array.from({ length: 501 }, (_, i) => [`whe_${String(i).padStart(26, '0')}`, ana.tenantId, String(i), payment.gatewayReference]);
    await service.tables.query(`insert into webhook_events (id, tenant_id, gateway, dedupe_key, topic, event_id, status, is_proven, gateway_reference, deliveries, body_hash, created_at, updated_at)
      values ${events_.map(() => "(?, ?, 'pixelpay', unhex(sha2(?, 256)), 'payment.completed', '', 'received', 1, ?, 1, '', now(3), now(3))").join(', ')}`, events_.flat());
    const body = JSON.stringify({ event: 'payment.completed', txn_id: payment.gatewayReference, status: 'completed' });
    expect((await deliver('pixelpay', body, signed(body))).status).toBe(200);
    const left = () => service.tables.query(`select id from webhook_events where tenant_id = '${ana.tenantId}' and status <> 'processed'`);
    expect(await eventually(left, ({ length }) => length === 0)).toEqual([]);
  });

  it('of a kind without a payment is stored and ignored', async () => {
    const body = JSON.stringify({ event: 'account.updated' });
    expect((await deliver('pixelpay', body, signed(body))).status).toBe(200);
    expect(await events()).toMatchObject([{ type: 'account.updated', status: 'ignored' }]);
    const { status } = await service.ask({ method: 'POST', path: `/v1/webhook-events/${(await events())[0]?.id}/replay`, key: ana.operator });
    expect(status).toBe(409);
  });
});

describe('a webhook that is not authentic (B6, B7)', () => {
  const body = '{"event":"payment.completed","txn_id":"txn_pixel_000042","status":"completed"}';
  const good = (): string => signed(body)['x-pixelpay-signature'] ?? '';
  const isRefused = async (answer: Promise<Answer<{ code?: string }>>): Promise<boolean> => {
    const { status, body: problem } = await answer;
    return status === 401 && problem.code === 'unauthorized';
  };

  it('because any bit of its signature is another is refused', async () => {
    const bytes = Buffer.from(good(), 'hex');
    const flipped = Array.from({ length: bytes.length * 8 }, (_, bit) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      return copy.toString('hex');
    });
    const refused = await Promise.all(flipped.map((signature) => isRefused(deliver('pixelpay', body, { 'x-pixelpay-signature': signature }))));
    expect(refused.filter(Boolean)).toHaveLength(256);
  });

  it('because any bit of its body is another is refused', async () => {
    const bytes = Buffer.from(body);
    const refused: boolean[] = [];
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      refused.push(await isRefused(deliver('pixelpay', copy, signed(body))));
    }
    expect(refused.filter((isOne) => !isOne)).toEqual([]);
  });

  it.each<[string, (signature: string) => Record<string, string>]>([
    ['none', () => ({})], ['an empty one', () => ({ 'x-pixelpay-signature': '' })], ['a short one', (signature) => ({ 'x-pixelpay-signature': signature.slice(1) })],
    ['a long one', (signature) => ({ 'x-pixelpay-signature': `${signature}0` })], ['two', (signature) => ({ 'x-pixelpay-signature': `${signature}, ${signature}` })], ['upper case', (signature) => ({ 'x-pixelpay-signature': signature.toUpperCase() })],
    ['test', () => ({ 'x-pixelpay-signature': 'v1=test' })], ['8 KB of one', () => ({ 'x-pixelpay-signature': 'a'.repeat(8_000) })], ['another header', (signature) => ({ 'x-signature': signature })],
  ])('by %s as a signature is refused', async (_what, headersOf) => {
    expect(await isRefused(deliver('pixelpay', body, headersOf(good())))).toBe(true);
  });

  it('signed by another tenant\'s secret is refused, and none of all these left a trace', async () => {
    const benito = await newMerchantOfBoth(service.ask);
    expect(await isRefused(deliver('pixelpay', body, signed(body, benito.pixelpay.webhookSecret)))).toBe(true);
    expect(await events()).toEqual([]);
  });

  it('is told nothing of tenants and gateways', async () => {
    const unknown = await Promise.all([
      deliver('pixelpay', body, signed(body), 'ten_00000000000000000000000000'), deliver('pixelpay', body, signed(body), 'x'), deliver('stripe', body), deliver('postmark', body), deliver('constructor', body),
    ]);
    expect(unknown.map(({ status, body: problem }) => [status, problem.code])).toEqual(Array.from({ length: 5 }, () => [404, 'not_found']));
  });
});

describe('a webhook that is authentic and cannot be read', () => {
  it.each([['no JSON', 'hello'], ['nothing', ''], ['a list', '[]'], ['no event', '{"txn_id":"txn_1"}'], ['bytes that are no UTF-8', '\u00ff\u00fe'], ['depth', `${'['.repeat(50_000)}${']'.repeat(50_000)}`]])('as it is %s is 400 (B16)', async (_what, body) => {
    const answer = await deliver('pixelpay', body, signed(body));
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed_json']);
  });

  it('as it is too large is 413', async () => {
    const body = JSON.stringify({ event: 'x', padding: 'x'.repeat(300_000) });
    expect((await deliver('pixelpay', body, signed(body))).status).toBe(413);
  });

  it('of any content type is read by its bytes', async () => {
    const body = JSON.stringify({ event: 'account.updated' });
    expect((await deliver('pixelpay', body, { ...signed(body), 'content-type': 'text/plain' })).status).toBe(200);
  });
});

describe('the secret of webhooks', () => {
  const put = (webhookSecret: string) => service.ask({
    method: 'PUT', path: `/v1/admin/tenants/${ana.tenantId}/gateway-accounts/pixelpay`, key: PLATFORM_ADMIN_KEY,
    body: { credentials: { apiKey: ana.pixelpay.apiKey, publicKey: ana.pixelpay.publicKey, webhookSecret }, enabled: false, environment: 'sandbox' },
  });
  const event = (n: number): string => JSON.stringify({ event: `account.updated.${n}` });

  it('that was changed is accepted beside the new one for a day, also by an account that is disabled (B10)', async () => {
    await put('whsec_another_secret');
    expect((await deliver('pixelpay', event(1), signed(event(1)))).status).toBe(200);
    expect((await deliver('pixelpay', event(2), signed(event(2), 'whsec_another_secret'))).status).toBe(200);
    await service.tables.query(`update gateway_accounts set superseded_at = superseded_at - interval 25 hour where tenant_id = '${ana.tenantId}' and superseded_at is not null`);
    expect((await deliver('pixelpay', event(3), signed(event(3)))).status).toBe(401);
    expect((await deliver('pixelpay', event(4), signed(event(4), 'whsec_another_secret'))).status).toBe(200);
  });

  it('that was changed is accepted for as long as the account says (B10)', async () => {
    const { apiKey, publicKey } = ana.pixelpay;
    const change = (webhookSecret: string, webhookSecretOverlap: unknown) => service.ask({
      method: 'PUT', path: `/v1/admin/tenants/${ana.tenantId}/gateway-accounts/pixelpay`, key: ana.admin, body: { credentials: { apiKey, publicKey, webhookSecret }, enabled: true, environment: 'sandbox', settings: { webhookSecretOverlap } },
    });
    expect(await change('whsec_another_secret', '2h')).toMatchObject({ status: 200, body: { settings: { webhookSecretOverlap: '2h' } } });
    expect((await deliver('pixelpay', event(5), signed(event(5)))).status).toBe(200);
    await service.tables.query(`update gateway_accounts set superseded_at = superseded_at - interval 3 hour where tenant_id = '${ana.tenantId}' and superseded_at is not null`);
    expect((await deliver('pixelpay', event(6), signed(event(6)))).status).toBe(401);
    expect((await change('whsec_a_third_secret', '0s')).status).toBe(200);
    expect((await deliver('pixelpay', event(7), signed(event(7), 'whsec_another_secret'))).status).toBe(401);
    expect((await deliver('pixelpay', event(8), signed(event(8), 'whsec_a_third_secret'))).status).toBe(200);
    for (const wrong of ['8d', 'a day', '1h,2h', 24, null, '']) expect(await change('whsec_a_third_secret', wrong)).toMatchObject({ status: 400, body: { errors: [{ field: 'settings.webhookSecretOverlap' }] } });
  });
});

describe('a webhook of Culqi, which signs nothing', () => {
  const listenToCulqi = (changes: object = {}): void => { service.sandbox.webhooks.change(ana.culqi.merchant, { url: `${url}/webhooks/culqi/${ana.tenantId}`, ...changes }); };
  const forged = (reference: string, members: object = {}): string =>
    JSON.stringify({ object: 'event', id: 'evt_test_0123456789abcdef', type: 'charge.creation.succeeded', creation_date: Date.now(), data: JSON.stringify({ object: 'charge', id: reference, ...members }) });

  it.each(['string', 'object'] as const)('with its data as %s tells of a refund in the panel, of which Culqi is asked', async (webhookData) => {
    service.sandbox.settings.change({ webhookData });
    listenToCulqi();
    const payment = await paidAtCulqi(service, ana);
    service.sandbox.panel.refund(payment.gatewayReference ?? '', 700);
    const shown = await eventually(() => read(payment.id), ({ refunds }) => refunds.length > 0);
    expect(shown).toMatchObject({ amountRefunded: 700, refunds: [{ origin: 'gateway', amount: 700 }] });
    service.sandbox.settings.change({ webhookData: 'string' });
  });

  it('tells of a refund in the panel before Culqi\'s look-up shows it, and is asked about once more (A15)', async () => {
    const payment = await paidAtCulqi(service, ana);
    // Longer than look-ups may lag.
    await sleep(400);
    service.sandbox.panel.refund(payment.gatewayReference ?? '', 700);
    service.sandbox.faults.add({ route: 'GET /v2/charges/:id', kind: 'wrong_answer', changes: { amount_refunded: 0, current_amount: 12_900 }, merchant: ana.culqi.merchant });
    expect((await deliver('culqi', JSON.stringify({ object: 'event', id: 'evt_test_0123456789abcdef', type: 'refund.creation.succeeded', data: { id: 'ref_test_x', chargeId: payment.gatewayReference } }))).status).toBe(200);
    expect(await eventually(() => read(payment.id), ({ refunds }) => refunds.length > 0)).toMatchObject({ amountRefunded: 700 });
    expect(await eventsEnded()).toMatchObject([{ status: 'processed', paymentId: payment.id }]);
  });

  it('finds the payment whose reply was lost by our own reference', async () => {
    listenToCulqi();
    service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking' });
    const { body } = await createPayment(service, ana.client, paymentOf(await mintToken(service.sandbox.url, ana)));
    expect(await captured(body.id)).toMatchObject({ status: 'captured' });
  });

  it('tells that Culqi let go of reserved money', async () => {
    listenToCulqi();
    const { body } = await createPayment(service, ana.client, paymentOf(await mintToken(service.sandbox.url, ana), { captureMethod: 'manual' }));
    service.sandbox.panel.expire(body.gatewayReference ?? '');
    expect(await eventually(() => read(body.id), ({ status }) => status !== 'authorized', 5_000)).toMatchObject({ status: 'voided' });
  });

  it('that is forged is a hint and no more: nothing is paid, nothing is refunded (B11)', async () => {
    service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_before_booking' });
    const { body: unpaid } = await createPayment(service, ana.client, paymentOf(await mintToken(service.sandbox.url, ana)));
    const other = await paidAtCulqi(service, ana);
    const attemptId = unpaid.attempts[0]?.id;
    // It names another charge that was paid as the one of the payment that was not.
    const lie = forged(other.gatewayReference ?? '', { metadata: { attempt_id: attemptId }, outcome: { type: 'venta_exitosa' }, refundedAmount: 12_900 });
    expect((await deliver('culqi', lie)).status).toBe(200);
    await eventsEnded();
    expect(await read(unpaid.id)).toMatchObject({ status: 'processing', gatewayReference: null });
    expect(await read(other.id)).toMatchObject({ status: 'captured', amountRefunded: 0, refunds: [] });
  });

  it('about a charge that is none of ours asks Culqi nothing', async () => {
    await deliver('culqi', forged('chr_test_0000000000000000'));
    await eventually(() => events(), (found) => found.length > 0);
    // The job has had its turn: what it would ask, it has asked.
    await eventually(() => service.tables.query<{ payload: string }>(`select payload from jobs where kind = 'webhooks.process' and tenant_id = '${ana.tenantId}'`), ([job]) => job?.payload.includes('"tries":"1"') === true);
    expect(service.sandbox.books.requests(ana.culqi.merchant)).toEqual([]);
  });

  it('is refused without the Basic credentials where they are agreed', async () => {
    const { publicKey, secretKey } = ana.culqi;
    await service.ask({
      method: 'PUT', path: `/v1/admin/tenants/${ana.tenantId}/gateway-accounts/culqi`, key: PLATFORM_ADMIN_KEY,
      body: { credentials: { publicKey, secretKey, webhookUser: 'culqi', webhookPassword: 'canary-webhook-password' }, enabled: true, environment: 'sandbox' },
    });
    // What came before was agreed without: a version that asks for nothing would let everything in for a day.
    const body = forged('chr_test_0000000000000000');
    const basic = (credentials: string) => ({ authorization: `Basic ${Buffer.from(credentials).toString('base64')}` });
    expect((await deliver('culqi', body)).status).toBe(401);
    for (const wrong of ['culqi:', 'culqi:canary-webhook-passwor', ':canary-webhook-password', 'Culqi:canary-webhook-password', 'culqi:canary-webhook-passwordé']) {
      expect((await deliver('culqi', body, basic(wrong))).status).toBe(401);
    }
    expect((await deliver('culqi', body, basic('culqi:canary-webhook-password'))).status).toBe(200);
  });
});

describe('reading and replaying events', () => {
  it('is for operators, and each tenant\'s own', async () => {
    const body = JSON.stringify({ event: 'account.updated' });
    await deliver('pixelpay', body, signed(body));
    const [event] = await events();
    const benito = await newMerchantOfBoth(service.ask);
    expect((await service.ask({ path: '/v1/webhook-events', key: ana.client })).status).toBe(403);
    expect((await service.ask<{ data: unknown[] }>({ path: '/v1/webhook-events', key: benito.operator })).body.data).toEqual([]);
    expect((await service.ask({ method: 'POST', path: `/v1/webhook-events/${event?.id}/replay`, key: benito.operator })).status).toBe(404);
    expect(await events('?gateway=culqi')).toEqual([]);
    expect(await events('?status=ignored,processed&gateway=pixelpay')).toHaveLength(1);
  });
});
