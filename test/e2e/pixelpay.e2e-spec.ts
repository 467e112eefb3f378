import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPayment, eventually, mintPixelpayToken, pixelpayPaymentOf, readPayment, refundPayment, settled, VISA, type PaymentBody, type ProblemBody, type RefundBody } from '../support/payments.js';
import { newMerchantOfBoth, startService, type Merchant, type Service } from '../support/service.js';
import { PLATFORM_ADMIN_KEY } from '../support/settings.js';

let service: Service;
let ana: Merchant;
beforeAll(async () => { service = await startService({ PUBLIC_URL: 'http://127.0.0.1:1' }); });
afterAll(() => service.close());
beforeEach(async () => {
  ana = await newMerchantOfBoth(service.ask);
  service.pixelpay.faults.clear();
  service.pixelpay.settings.change({ completeAfterMs: 300, pendingForMs: 600, refundAfterMs: 300, lookupLagMs: 0 });
});

const pay = async (number = VISA.number, changes: Record<string, unknown> = {}) => createPayment(service, ana.client, pixelpayPaymentOf(await mintPixelpayToken(service.pixelpay.url, ana, number), changes));
const ended = (id: string): Promise<PaymentBody> => settled(service, ana.client, id);
const paid = async (changes: Record<string, unknown> = {}): Promise<PaymentBody> => ended((await pay(VISA.number, changes)).body.id);
const endedRefund = (id: string): Promise<RefundBody> => eventually(async () => (await service.ask<RefundBody>({ path: `/v1/refunds/${id}`, key: ana.client })).body, ({ status }) => status !== 'submitted');
const booked = () => service.pixelpay.books.payments(ana.pixelpay.merchant);

describe('a payment through PixelPay', () => {
  it('is accepted first, and captured when PixelPay says that it is completed', async () => {
    const answer = await pay();
    expect(answer).toMatchObject({ status: 201, body: { status: 'processing', processingReason: 'pending_at_gateway', gateway: 'pixelpay', amountCaptured: 0, attempts: [{ status: 'pending', pspCode: 'success' }] } });
    const payment = await ended(answer.body.id);
    expect(payment).toMatchObject({
      status: 'captured', amountCaptured: 12_900, currency: 'DOP', fee: 194, net: 12_706, feeSource: 'psp', feeBreakdown: null, savings: null, fraudScore: 8,
      attempts: [{ status: 'succeeded', pspCode: 'completed' }],
    });
    const [charge] = booked();
    expect(charge).toMatchObject({ txn_id: payment.gatewayReference, order_id: payment.attempts[0]?.id, amount: 12_900, status: 'completed' });
  });

  it.each([
    ['4000000000000002', 'card_declined', 'declined'], ['4000000000009995', 'insufficient_funds', 'insufficient'], ['4000000000000069', 'expired_card', 'expired_card'],
    ['4000000000000127', 'invalid_card', 'invalid_card'], ['4000000000000119', 'fraud_suspected', 'fraud_detected'],
  ])('with the card %s fails as %s (A13)', async (number, code, pspCode) => {
    const { status, body } = await pay(number);
    expect([status, body.status, body.failure]).toEqual([201, 'failed', { code, pspCode, message: expect.any(String), userMessage: expect.any(String), advice: expect.any(String), retryable: false }]);
    expect(body.attempts).toMatchObject([{ status: 'declined', code, pspCode }]);
  });

  it('that stays pending for a while is captured in the end (A14)', async () => {
    const { body } = await pay('4000000000003220');
    expect(body).toMatchObject({ status: 'processing', attempts: [{ pspCode: 'pending' }] });
    expect(await ended(body.id)).toMatchObject({ status: 'captured' });
  });

  it('that fails after it was accepted is failed', async () => {
    service.pixelpay.settings.change({ completeAfterMs: null });
    const { body } = await pay();
    service.pixelpay.panel.fail(body.gatewayReference ?? '');
    expect(await ended(body.id)).toMatchObject({ status: 'failed', failure: { code: 'card_declined', pspCode: 'failed' }, fee: null, net: null });
  });

  it.each([
    ['an amount below the least', { amount: 99 }, 'invalid_amount'], ['an amount above the most', { amount: 5_000_001 }, 'invalid_amount'], ['another currency', { currency: 'PEN' }, 'currency_not_supported'],
    ['a capture later', { captureMethod: 'manual' }, 'capability_missing'],
  ])('with %s is refused before PixelPay is asked (F5)', async (_what, changes, code) => {
    const { status, body } = await pay(VISA.number, changes);
    expect([status, (body as unknown as ProblemBody).code]).toEqual([422, code]);
    expect(service.pixelpay.books.requests(ana.pixelpay.merchant).filter(({ path }) => path === '/v2/payments')).toEqual([]);
  });

  it.each([100, 5_000_000])('of %d, the least or the most, is taken', async (amount) => {
    expect(await paid({ amount })).toMatchObject({ status: 'captured', amountCaptured: amount });
  });

  it('with a fee table keeps to what PixelPay reports, and tells what was saved (F2)', async () => {
    await service.ask({ method: 'PATCH', path: `/v1/admin/tenants/${ana.tenantId}`, key: PLATFORM_ADMIN_KEY, body: { referenceFees: [{ currency: 'DOP', percentBps: 350 }] } });
    expect(await paid()).toMatchObject({ fee: 194, savings: 452 - 194 });
  });
});

describe('a payment that stays pending longer than the schedule is (A14, I5)', () => {
  let brief: Service;
  beforeAll(async () => { brief = await startService({ PUBLIC_URL: 'http://127.0.0.1:1', RESOLVE_SCHEDULE: '100ms,100ms' }); });
  afterAll(() => brief.close());

  it.each<[string, (pixelpay: Service['pixelpay']) => void]>([
    ['says so', () => undefined],
    ['does not answer', ({ faults }) => { faults.add({ route: 'GET /v2/payments/:id', kind: 'error_before_booking', status: 503, times: 1_000 }); }],
    ['shows it no more', ({ settings }) => { settings.change({ lookupLagMs: 600_000 }); }],
  ])('is asked about on and on while PixelPay %s, troubles nobody, and is captured once it is completed', async (_what, hide) => {
    const shop = await newMerchantOfBoth(brief.ask);
    brief.pixelpay.settings.change({ completeAfterMs: null });
    const { body } = await createPayment(brief, shop.client, pixelpayPaymentOf(await mintPixelpayToken(brief.pixelpay.url, shop)));
    hide(brief.pixelpay);
    // Of the schedule alone: that somebody reads the payment uses up none of it.
    const asked = async () => (await brief.tables.query<{ look_ups: number }>('select look_ups from payment_attempts where payment_id = ?', [body.id]))[0]?.look_ups ?? 0;
    expect(await eventually(asked, (times) => times >= 5)).toBeGreaterThanOrEqual(5);
    expect(await readPayment(brief, shop.client, body.id)).toMatchObject({ status: 'processing', processingReason: 'pending_at_gateway', attempts: [{ status: 'pending' }] });
    const before = await asked();
    expect(await eventually(asked, (times) => times > before)).toBeGreaterThan(before);

    brief.pixelpay.faults.clear();
    brief.pixelpay.settings.change({ lookupLagMs: 0 });
    brief.pixelpay.panel.complete(body.gatewayReference ?? '');
    expect(await settled(brief, shop.client, body.id)).toMatchObject({ status: 'captured', amountCaptured: 12_900 });
    expect(brief.pixelpay.books.payments(shop.pixelpay.merchant)).toHaveLength(1);
    expect(await brief.tables.query('select kind from tickets where payment_id = ?', [body.id])).toEqual([]);
  });
});

describe('a reply that is lost', () => {
  it.each(['reset_after_booking', 'hang_after_booking', 'error_after_booking', 'truncated_body', 'cut_body', 'html_body', 'empty_body', 'huge_body'] as const)('by %s is found by order_id, and charged once (A1, A6, A9)', async (kind) => {
    service.pixelpay.faults.add({ route: 'POST /v2/payments', kind });
    const { status, body } = await pay();
    expect([status, body.status]).toEqual([201, 'processing']);
    expect(await ended(body.id)).toMatchObject({ status: 'captured', amountCaptured: 12_900 });
    expect(booked()).toHaveLength(1);
  });

  it('before PixelPay saw it ends as failed, once that is sure (A2)', async () => {
    service.pixelpay.faults.add({ route: 'POST /v2/payments', kind: 'reset_before_booking' });
    const { body } = await pay();
    expect(await ended(body.id)).toMatchObject({ status: 'failed', failure: { code: 'gateway_unavailable' } });
    expect(booked()).toEqual([]);
  });
});

describe('an answer that is not what was asked', () => {
  it.each([['amount', 12_901], ['currency', 'USD'], ['order_id', 'att_00000000000000000000000000'], ['order_id', null]])('with another %s is never a success: people look at it (A11)', async (member, value) => {
    service.pixelpay.faults.add({ route: 'GET /v2/payments/:id', kind: 'wrong_answer', times: 50, changes: { [member]: value } });
    const { body } = await pay();
    expect(await ended(body.id)).toMatchObject({ status: 'needs_review', amountCaptured: 0 });
    expect(await service.tables.query(`select kind from tickets where payment_id = '${body.id}'`)).toEqual([{ kind: 'mismatch' }]);
  });

  it('with an unknown word stays pending, with a ticket (A12)', async () => {
    service.pixelpay.faults.add({ route: 'GET /v2/payments/:id', kind: 'wrong_answer', times: 2, changes: { status: 'in_mediation' } });
    const { body } = await pay();
    const kinds = await eventually(() => service.tables.query<{ kind: string }>(`select kind from tickets where payment_id = '${body.id}'`), (rows) => rows.length > 0);
    expect(kinds).toEqual([{ kind: 'unmapped_status' }]);
    expect(await ended(body.id)).toMatchObject({ status: 'captured' });
  });

  it('that shows less than was known moves nothing (A16)', async () => {
    const payment = await paid();
    service.pixelpay.faults.add({ route: 'GET /v2/payments/:id', kind: 'wrong_answer', changes: { status: 'pending' } });
    await service.ask({ method: 'POST', path: `/v1/payments/${payment.id}/sync`, key: ana.operator });
    expect(await readPayment(service, ana.client, payment.id)).toMatchObject({ status: 'captured', version: payment.version });
  });
});

describe('a refund through PixelPay', () => {
  it('is submitted until PixelPay says that it is completed', async () => {
    const payment = await paid();
    const answer = await refundPayment(service, ana.client, payment.id, { amount: 2_900 });
    expect(answer).toMatchObject({ status: 201, body: { status: 'submitted', amount: 2_900 } });
    expect(await endedRefund(answer.body.id)).toMatchObject({ status: 'succeeded' });
    expect(await readPayment(service, ana.client, payment.id)).toMatchObject({ amountRefunded: 2_900, amountRefundPending: 0 });
    expect(service.pixelpay.books.refunds(ana.pixelpay.merchant)).toMatchObject([{ amount: 2_900, status: 'completed', refund_id: (await readPayment(service, ana.client, payment.id)).attempts[1]?.id }]);
  });

  it('goes out beside others, as PixelPay tells them apart by their ids', async () => {
    const payment = await paid();
    service.pixelpay.settings.change({ refundAfterMs: null });
    const answers = await Promise.all([1, 2, 3].map((part) => refundPayment(service, ana.client, payment.id, { amount: part * 1_000 })));
    expect(answers.map(({ body }) => body.status)).toEqual(['submitted', 'submitted', 'submitted']);
    expect(service.pixelpay.books.refunds(ana.pixelpay.merchant)).toHaveLength(3);
    expect(await readPayment(service, ana.client, payment.id)).toMatchObject({ amountRefundPending: 6_000 });
  });

  it('that PixelPay could not do is failed, and the money is free again', async () => {
    const payment = await paid();
    service.pixelpay.settings.change({ refundAfterMs: null });
    const { body } = await refundPayment(service, ana.client, payment.id, { amount: 12_900 });
    service.pixelpay.panel.failRefund(ana.pixelpay.merchant, (await readPayment(service, ana.client, payment.id)).attempts[1]?.id ?? '');
    expect(await endedRefund(body.id)).toMatchObject({ status: 'failed', failure: { code: 'processing_error' } });
    expect((await refundPayment(service, ana.client, payment.id)).status).toBe(201);
  });

  it.each(['reset_after_booking', 'hang_after_booking', 'error_after_booking', 'reset_before_booking'] as const)('whose reply is lost by %s is done once', async (kind) => {
    const payment = await paid();
    service.pixelpay.faults.add({ route: 'POST /v2/payments/:id/refunds', kind });
    const { body } = await refundPayment(service, ana.client, payment.id, { amount: 4_000 });
    expect(body.status).toBe('submitted');
    expect(await endedRefund(body.id)).toMatchObject({ status: 'succeeded' });
    expect(service.pixelpay.books.refunds(ana.pixelpay.merchant)).toHaveLength(1);
  });

  it('that arrives after it was sent again is done once: both go by the first one\'s id', async () => {
    const payment = await paid();
    service.pixelpay.faults.add({ route: 'POST /v2/payments/:id/refunds', kind: 'reset_before_booking' });
    const { body } = await refundPayment(service, ana.client, payment.id, { amount: 4_000 });
    expect(await endedRefund(body.id)).toMatchObject({ status: 'succeeded' });
    const tries = (await readPayment(service, ana.client, payment.id)).attempts.filter(({ operation }) => operation === 'refund');
    expect(tries).toHaveLength(2);
    await fetch(`${service.pixelpay.url}/v2/payments/${payment.gatewayReference}/refunds`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ api_key: ana.pixelpay.apiKey, amount: 4_000, refund_id: tries[0]?.id }),
    });
    expect(service.pixelpay.books.refunds(ana.pixelpay.merchant)).toHaveLength(1);
  });

  it('that PixelPay took in and then does not show is not sent again: it did arrive', async () => {
    const payment = await paid();
    service.pixelpay.settings.change({ refundAfterMs: null });
    const { body } = await refundPayment(service, ana.client, payment.id, { amount: 4_000 });
    service.pixelpay.settings.change({ lookupLagMs: 600_000 });
    // Far longer than absence takes to be believed here.
    await new Promise((resolve) => { setTimeout(resolve, 2_500); });
    expect((await service.ask<RefundBody>({ path: `/v1/refunds/${body.id}`, key: ana.client })).body.status).toBe('submitted');
    expect(service.pixelpay.books.refunds(ana.pixelpay.merchant)).toHaveLength(1);
    service.pixelpay.settings.change({ lookupLagMs: 0 });
    service.pixelpay.panel.completeRefund(ana.pixelpay.merchant, (await readPayment(service, ana.client, payment.id)).attempts[1]?.id ?? '');
    expect(await endedRefund(body.id)).toMatchObject({ status: 'succeeded' });
  });

  it('made in the panel becomes a refund of origin gateway', async () => {
    const payment = await paid();
    service.pixelpay.panel.refund(payment.gatewayReference ?? '', 1_100);
    await service.ask({ method: 'POST', path: `/v1/payments/${payment.id}/sync`, key: ana.operator });
    const shown = await eventually(() => readPayment(service, ana.client, payment.id), ({ refunds }) => refunds.length > 0);
    expect(shown.refunds).toMatchObject([{ origin: 'gateway', status: 'succeeded', amount: 1_100 }]);
  });
});

describe('what PixelPay cannot do', () => {
  it.each(['capture', 'void'])('%s of a captured payment is refused', async (operation) => {
    const payment = await paid();
    const answer = await service.ask<ProblemBody>({ method: 'POST', path: `/v1/payments/${payment.id}/${operation}`, key: ana.client, body: {}, headers: { 'idempotency-key': randomUUID() } });
    expect([answer.status, answer.body.code]).toEqual([409, 'invalid_state']);
  });
});
