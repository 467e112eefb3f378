import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPayment, eventually, mintToken, paidAtCulqi, paymentOf, readPayment, refundPayment, type PaymentBody, type ProblemBody, type RefundBody } from '../support/payments.js';
import { newMerchant, startService, type Merchant, type Service } from '../support/service.js';
import { PLATFORM_ADMIN_KEY } from '../support/settings.js';

let service: Service;
let ana: Merchant;
beforeAll(async () => { service = await startService(); });
afterAll(() => service.close());
beforeEach(async () => {
  ana = await newMerchant(service.ask);
  service.sandbox.faults.clear();
  service.sandbox.settings.change({ lookupLagMs: 0 });
});

const paid = (changes: Record<string, unknown> = {}): Promise<PaymentBody> => paidAtCulqi(service, ana, changes);
const refund = (id: string, body: unknown = {}, key = ana.client, idempotencyKey: string = randomUUID()) => refundPayment(service, key, id, body, idempotencyKey);
const read = (id: string): Promise<PaymentBody> => readPayment(service, ana.client, id);
const readRefund = async (id: string): Promise<RefundBody> => (await service.ask<RefundBody>({ path: `/v1/refunds/${id}`, key: ana.client })).body;
const ended = (id: string): Promise<RefundBody> => eventually(() => readRefund(id), ({ status }) => status !== 'submitted');
const givenBack = (): number => service.sandbox.books.refunds(ana.culqi.merchant).reduce((total, { amount }) => total + amount, 0);
const problemOf = (answer: { body: unknown; status: number }): [number, string] => [answer.status, (answer.body as ProblemBody).code];

describe('a refund', () => {
  it('gives everything back, and the payment shows it', async () => {
    const payment = await paid();
    const answer = await refund(payment.id, { reason: 'duplicate' });
    expect(answer).toMatchObject({
      status: 201, body: { paymentId: payment.id, amount: 12_900, currency: 'PEN', status: 'succeeded', origin: 'api', reason: 'duplicate', failure: null },
    });
    const [booked] = service.sandbox.books.refunds(ana.culqi.merchant);
    expect(booked).toMatchObject({ charge_id: payment.gatewayReference, amount: 12_900, reason: 'Duplicado' });
    expect(answer.body.gatewayReference).toBe(booked?.id);
    expect(await read(payment.id)).toMatchObject({
      status: 'captured', amountCaptured: 12_900, amountRefunded: 12_900, amountRefundPending: 0, refunds: [{ id: answer.body.id, status: 'succeeded' }],
      attempts: [{ operation: 'authorize' }, { operation: 'refund', status: 'succeeded' }],
    });
    expect(problemOf(await refund(payment.id))).toEqual([422, 'refund_exceeds_captured']);
  });

  it('gives a part back, and then the rest', async () => {
    const payment = await paid();
    expect((await refund(payment.id, { amount: 5_000 })).body).toMatchObject({ amount: 5_000, status: 'succeeded' });
    expect(problemOf(await refund(payment.id, { amount: 7_901 }))).toEqual([422, 'refund_exceeds_captured']);
    expect((await refund(payment.id)).body).toMatchObject({ amount: 7_900, status: 'succeeded' });
    expect(await read(payment.id)).toMatchObject({ amountRefunded: 12_900, version: expect.any(Number) as unknown });
    expect(givenBack()).toBe(12_900);
  });

  it('answers the same under the same key, and nothing is given back twice', async () => {
    const payment = await paid();
    const key = randomUUID();
    const first = await refund(payment.id, { amount: 1_000 }, ana.client, key);
    const again = await refund(payment.id, { amount: 1_000 }, ana.client, key);
    expect([again.status, again.text, again.headers['idempotent-replayed']]).toEqual([201, first.text, 'true']);
    expect(problemOf(await refund(payment.id, { amount: 1_001 }, ana.client, key))).toEqual([422, 'idempotency_key_reused']);
    expect(givenBack()).toBe(1_000);
  });

  it.each([['created', { confirm: false }], ['authorized', { captureMethod: 'manual' }]])('of a payment that is %s is refused before anything is sent', async (_status, changes) => {
    const { body } = await createPayment(service, ana.client, paymentOf(await mintToken(service.sandbox.url, ana), changes));
    expect(problemOf(await refund(body.id))).toEqual([409, 'invalid_state']);
    expect(givenBack()).toBe(0);
  });

  it.each([{ amount: 0 }, { amount: 1.5 }, { amount: '10' }, { reason: 'because' }, { allowNegative: 'yes' }, { currency: 'PEN' }])('with %j is not valid', async (body) => {
    expect(problemOf(await refund('pay_00000000000000000000000000', body))).toEqual([400, 'validation_failed']);
  });

  it('of an unknown payment or of another tenant\'s is not found', async () => {
    const payment = await paid();
    const benito = await newMerchant(service.ask);
    const [foreign, unknown] = [await refund(payment.id, {}, benito.client), await refund('pay_00000000000000000000000000', {}, benito.client)];
    expect(problemOf(foreign)).toEqual([404, 'not_found']);
    expect(problemOf(unknown)).toEqual([404, 'not_found']);
    const made = await refund(payment.id);
    expect((await service.ask({ path: `/v1/refunds/${made.body.id}`, key: benito.client })).status).toBe(404);
  });

  it('is refused by Culqi as an answer, and what was refused can be tried again', async () => {
    const payment = await paid();
    service.sandbox.panel.refund(payment.gatewayReference ?? '', 12_000);
    const answer = await refund(payment.id, { amount: 5_000 });
    expect(answer).toMatchObject({ status: 201, body: { status: 'failed', failure: { code: 'processing_error', userMessage: expect.any(String) as unknown } } });
    expect((await refund(payment.id, { amount: 900 })).body.status).toBe('succeeded');
  });
});

describe('many refunds at once (E7, E8)', () => {
  it('of everything: one is done, the others exceed what is left', async () => {
    const payment = await paid();
    const answers = await Promise.all(Array.from({ length: 20 }, () => refund(payment.id)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 422)).toHaveLength(19);
    expect(givenBack()).toBe(12_900);
  });

  it('of 60 % each: one fits, also while its reply is lost', async () => {
    const payment = await paid();
    service.sandbox.faults.add({ route: 'POST /v2/refunds', kind: 'reset_after_booking' });
    const answers = await Promise.all(Array.from({ length: 3 }, () => refund(payment.id, { amount: 7_740 })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 422, 422]);
    const accepted = answers.find(({ status }) => status === 201)?.body;
    expect(accepted).toMatchObject({ status: 'submitted' });
    expect(await ended(accepted?.id ?? '')).toMatchObject({ status: 'succeeded' });
    expect(givenBack()).toBe(7_740);
  });

  it('of parts: each goes to Culqi once, one after the other, as Culqi could not tell them apart', async () => {
    const payment = await paid();
    const answers = await Promise.all(Array.from({ length: 6 }, () => refund(payment.id, { amount: 1_000 })));
    expect(answers.every(({ status }) => status === 201)).toBe(true);
    const refunds = await Promise.all(answers.map(({ body }) => ended(body.id)));
    expect(refunds.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 'succeeded'));
    expect(new Set(refunds.map(({ gatewayReference }) => gatewayReference)).size).toBe(6);
    expect(givenBack()).toBe(6_000);
    expect(await read(payment.id)).toMatchObject({ amountRefunded: 6_000, amountRefundPending: 0 });
  });
});

describe('a refund whose reply is lost', () => {
  it.each(['reset_after_booking', 'hang_after_booking', 'error_after_booking', 'truncated_body', 'html_body', 'empty_body'] as const)('by %s is submitted, counts as taken, and is found', async (kind) => {
    const payment = await paid();
    service.sandbox.faults.add({ route: 'POST /v2/refunds', kind });
    const answer = await refund(payment.id, { amount: 4_000 });
    expect(answer).toMatchObject({ status: 201, body: { status: 'submitted' } });
    expect(problemOf(await refund(payment.id, { amount: 9_000 }))).toEqual([422, 'refund_exceeds_captured']);
    const found = await ended(answer.body.id);
    expect(found).toMatchObject({ status: 'succeeded' });
    expect(found.gatewayReference).toBe(service.sandbox.books.refunds(ana.culqi.merchant)[0]?.id);
    expect(givenBack()).toBe(4_000);
  });

  it('before Culqi saw it is sent again once that is sure, and done once', async () => {
    const payment = await paid();
    service.sandbox.faults.add({ route: 'POST /v2/refunds', kind: 'reset_before_booking' });
    const answer = await refund(payment.id, { amount: 4_000 });
    expect(answer.body.status).toBe('submitted');
    expect(await ended(answer.body.id)).toMatchObject({ status: 'succeeded' });
    expect(givenBack()).toBe(4_000);
    expect((await read(payment.id)).attempts.map(({ operation, status }) => [operation, status])).toEqual([['authorize', 'succeeded'], ['refund', 'failed'], ['refund', 'succeeded']]);
  });

  it('is not taken for an equal one that was made in the panel before it', async () => {
    const payment = await paid();
    service.sandbox.panel.refund(payment.gatewayReference ?? '', 1_000);
    await service.ask({ method: 'POST', path: `/v1/payments/${payment.id}/sync`, key: ana.operator });
    await eventually(() => read(payment.id), ({ refunds }) => refunds.length === 1);
    service.sandbox.faults.add({ route: 'POST /v2/refunds', kind: 'reset_before_booking' });
    await refund(payment.id, { amount: 1_000 });
    const shown = await eventually(() => read(payment.id), ({ refunds }) => refunds.length === 2 && refunds.every(({ status }) => status === 'succeeded'));
    expect([shown.amountRefunded, givenBack()]).toEqual([2_000, 2_000]);
  });

  it('holds the ones after it back until it is known', async () => {
    const payment = await paid();
    service.sandbox.faults.add({ route: 'POST /v2/refunds', kind: 'reset_after_booking' });
    service.sandbox.faults.add({ route: 'GET /v2/refunds', kind: 'error_before_booking', times: 2 });
    const first = await refund(payment.id, { amount: 1_000 });
    const second = await refund(payment.id, { amount: 1_000 });
    expect([first.body.status, second.body.status]).toEqual(['submitted', 'submitted']);
    expect(service.sandbox.books.refunds(ana.culqi.merchant)).toHaveLength(1);
    expect([(await ended(first.body.id)).status, (await ended(second.body.id)).status]).toEqual(['succeeded', 'succeeded']);
    expect(givenBack()).toBe(2_000);
  });

  it('in a list that never shows it waits for people', async () => {
    const payment = await paid();
    service.sandbox.faults.add({ route: 'POST /v2/refunds', kind: 'reset_after_booking' });
    service.sandbox.faults.add({ route: 'GET /v2/refunds', kind: 'error_before_booking', times: 100 });
    const answer = await refund(payment.id, { amount: 4_000 });
    expect(await ended(answer.body.id)).toMatchObject({ status: 'needs_review' });
    expect(await read(payment.id)).toMatchObject({ status: 'captured', amountRefunded: 0, amountRefundPending: 4_000 });
    const tickets = await service.tables.query<{ kind: string }>(`select kind from tickets where payment_id = '${payment.id}'`);
    expect(tickets).toEqual([{ kind: 'unresolved_outcome' }]);
  });
});

describe('while Culqi is away', () => {
  it('a refund waits and is done when it is back', async () => {
    const payment = await paid();
    service.sandbox.faults.add({ route: 'POST /v2/refunds', kind: 'rate_limited', times: 2 });
    const answer = await refund(payment.id, { amount: 4_000 });
    expect(answer).toMatchObject({ status: 201, body: { status: 'submitted' } });
    expect(await ended(answer.body.id)).toMatchObject({ status: 'succeeded' });
    expect(givenBack()).toBe(4_000);
  });
});

describe('a PSP that answers 503 twice, and has booked nothing (A7)', () => {
  it('is sent a refund again each time that this is sure, and gives the money back once', async () => {
    const payment = await paid();
    service.sandbox.faults.add({ route: 'POST /v2/refunds', kind: 'error_before_booking', status: 503, times: 2, merchant: ana.culqi.merchant });
    const answer = await refund(payment.id, { amount: 4_000 });
    expect(answer).toMatchObject({ status: 201, body: { status: 'submitted' } });
    expect(await ended(answer.body.id)).toMatchObject({ status: 'succeeded' });
    expect((await read(payment.id)).attempts.map(({ operation, status }) => [operation, status])).toEqual([['authorize', 'succeeded'], ['refund', 'failed'], ['refund', 'failed'], ['refund', 'succeeded']]);
    expect(service.sandbox.books.refunds(ana.culqi.merchant)).toMatchObject([{ amount: 4_000 }]);
  });
});

describe('a refund made in Culqi\'s panel', () => {
  it('becomes a refund of origin gateway, once', async () => {
    const payment = await paid();
    service.sandbox.panel.refund(payment.gatewayReference ?? '', 2_500);
    for (let i = 0; i < 3; i++) await service.ask({ method: 'POST', path: `/v1/payments/${payment.id}/sync`, key: ana.operator });
    const shown = await eventually(() => read(payment.id), ({ refunds }) => refunds.length > 0);
    expect(shown).toMatchObject({ amountRefunded: 2_500, refunds: [{ origin: 'gateway', status: 'succeeded', amount: 2_500, reason: null }] });
    await service.ask({ method: 'POST', path: `/v1/payments/${payment.id}/sync`, key: ana.operator });
    expect((await refund(payment.id)).body).toMatchObject({ amount: 10_400, status: 'succeeded' });
    expect(await read(payment.id)).toMatchObject({ amountRefunded: 12_900 });
    expect((await read(payment.id)).refunds).toHaveLength(2);
  });
});

describe('money that only one look shows as given back', () => {
  it('becomes no refund', async () => {
    const payment = await paid();
    service.sandbox.faults.add({ route: 'GET /v2/charges/:id', kind: 'wrong_answer', changes: { amount_refunded: 900 } });
    await service.ask({ method: 'POST', path: `/v1/payments/${payment.id}/sync`, key: ana.operator });
    const job = () => service.tables.query(`select id from jobs where unique_key like 'check_refunds:${payment.attempts[0]?.id}'`);
    expect(await job()).toHaveLength(1);
    await eventually(job, (jobs) => jobs.length === 0);
    expect(await read(payment.id)).toMatchObject({ amountRefunded: 0, refunds: [] });
  });
});

describe('who may refund', () => {
  it('a client up to the tenant\'s limit, an operator beyond', async () => {
    await service.ask({ method: 'PATCH', path: `/v1/admin/tenants/${ana.tenantId}`, key: PLATFORM_ADMIN_KEY, body: { settings: { refundLimit: 5_000 } } });
    const payment = await paid();
    expect((await refund(payment.id, { amount: 5_000 })).status).toBe(201);
    expect(problemOf(await refund(payment.id, { amount: 5_001 }))).toEqual([403, 'approval_required']);
    expect(problemOf(await refund(payment.id))).toEqual([403, 'approval_required']);
    expect((await refund(payment.id, {}, ana.operator)).body).toMatchObject({ amount: 7_900, status: 'succeeded' });
    expect(problemOf(await refund(payment.id, { allowNegative: true }))).toEqual([422, 'refund_exceeds_captured']);
  });
});

describe('reading refunds', () => {
  it('lists them by payment and status, newest first, page by page', async () => {
    const payment = await paid();
    const ids: string[] = [];
    for (const amount of [100, 200, 300]) ids.push((await refund(payment.id, { amount })).body.id);
    type Page = { data: RefundBody[]; nextCursor: string | null };
    const ask = async (path: string): Promise<Page> => (await service.ask<Page>({ path, key: ana.client })).body;
    const all = await ask(`/v1/payments/${payment.id}/refunds`);
    expect([all.data.map(({ id }) => id), all.nextCursor]).toEqual([ids.toReversed(), null]);
    const first = await ask(`/v1/refunds?paymentId=${payment.id}&status=succeeded,failed&limit=2`);
    const second = await ask(`/v1/refunds?paymentId=${payment.id}&status=succeeded,failed&limit=2&cursor=${first.nextCursor ?? ''}`);
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(ids.toReversed());
    expect(second.nextCursor).toBeNull();
    expect((await ask('/v1/refunds?status=submitted')).data).toEqual([]);
    expect(problemOf(await service.ask({ path: '/v1/refunds?status=gone', key: ana.client }))).toEqual([400, 'validation_failed']);
  });

  it('the timeline tells of them', async () => {
    const payment = await paid();
    const { body } = await refund(payment.id, { amount: 100 });
    const timeline = await service.ask<{ data: { kind: string; to?: string; detail: string }[] }>({ path: `/v1/payments/${payment.id}/timeline`, key: ana.client });
    expect(timeline.body.data.filter(({ kind }) => kind === 'refund').map(({ to, detail }) => [to, detail])).toEqual([['submitted', body.id], ['succeeded', body.id]]);
  });
});
