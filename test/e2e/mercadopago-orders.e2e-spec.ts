import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPayment, eventually, paymentOf, readPayment, refundPayment, settled, type PaymentBody, type RefundBody } from '../support/payments.js';
import { lookOverNow } from '../support/look-over.js';
import { mintMercadopagoToken, newMercadopagoAccount, putMercadopagoAccount, type MercadopagoAccount } from '../support/mercadopago.js';
import { newMerchant, startService, type Merchant, type Service } from '../support/service.js';

let service: Service;
let url: string;
let ana: Merchant;
let account: MercadopagoAccount;
beforeAll(async () => {
  service = await startService();
  await service.app.listen(0, '127.0.0.1');
  url = await service.app.getUrl();
});
afterAll(() => service.close());
beforeEach(async () => {
  ana = await newMerchant(service.ask);
  account = newMercadopagoAccount();
  await setApi('orders');
  service.mercadopago.faults.clear();
  service.mercadopago.settings.change({ reviewAfterMs: 300, refundAfterMs: 5_000, refundsInProcess: false, coversRefunds: true, lookupLagMs: 0, cancelWord: 'canceled' });
});

const setApi = (api: string) => putMercadopagoAccount(service, ana, account, { settings: { api }, fees: [{ currency: 'PEN', percentBps: 399, taxBps: 1_800 }] });
const mint = (name?: string, number?: string): Promise<string> => mintMercadopagoToken(service.mercadopago.url, account, name, number);
const pay = async (changes: Record<string, unknown> = {}, name?: string, number?: string) => createPayment(service, ana.client, paymentOf('', {
  gateway: 'mercadopago', paymentMethod: { type: 'card', tokens: { mercadopago: await mint(name, number) }, options: { mercadopago: { paymentMethodId: 'visa', applicationFee: 150 } } }, ...changes,
}));
const booked = () => service.mercadopago.books.payments(account.merchant);
const listen = (): void => { service.mercadopago.webhooks.change(account.merchant, { url: `${url}/webhooks/mercadopago/${ana.tenantId}` }); };
const until = (id: string, isThere: (payment: PaymentBody) => boolean): Promise<PaymentBody> => eventually(() => readPayment(service, ana.client, id), isThere);
const post = <T = PaymentBody>(path: string) => service.ask<T>({ method: 'POST', path, key: ana.client, headers: { 'idempotency-key': randomUUID() } });
const tickets = () => service.tables.query(`select kind from tickets where tenant_id = '${ana.tenantId}'`);

describe('a card through MercadoPago\'s orders', () => {
  it('is captured, its fee by the account\'s table', async () => {
    const { status, body } = await pay();
    expect([status, body]).toMatchObject([201, { status: 'captured', amountCaptured: 12_900, gatewayReference: expect.stringMatching(/^ORD01/), feeSource: 'table', fee: 608, paymentMethod: { brand: 'visa', funding: 'credit' } }]);
    expect(booked()).toMatchObject([{ isOrder: true, external_reference: body.attempts[0]?.id, application_fee: 150 }]);
  });

  it.each([['FUND', 'insufficient_funds'], ['CALL', 'contact_issuer'], ['OTHE', 'card_declined'], ['ATTE', 'limit_exceeded'], ['LOCK', 'contact_issuer'], ['SECU', 'invalid_card']])('of %s is declined as %s (402)', async (name, code) => {
    expect((await pay({}, name)).body).toMatchObject({ status: 'failed', failure: { code }, gatewayReference: expect.stringMatching(/^ORD01/) });
  });

  it('of CONT is reviewed, and captured when the review ends', async () => {
    const { body } = await pay({}, 'CONT');
    expect(body).toMatchObject({ status: 'processing', processingReason: 'pending_at_gateway' });
    expect(await settled(service, ana.client, body.id)).toMatchObject({ status: 'captured' });
  });

  it.each(['reset_after_booking', 'hang_after_booking', 'error_after_booking', 'truncated_body', 'html_body'] as const)('whose reply is lost by %s is found by our reference, and charged once', async (kind) => {
    service.mercadopago.faults.add({ route: 'POST /v1/orders', kind });
    const { body } = await pay();
    expect(body.status).toBe('processing');
    expect(await settled(service, ana.client, body.id)).toMatchObject({ status: 'captured', gatewayReference: expect.stringMatching(/^ORD01/) });
    expect(booked()).toHaveLength(1);
  });

  it('is challenged, and ends as the buyer does', async () => {
    listen();
    const { body } = await pay({}, 'APRO', '5483928164574623');
    expect(body).toMatchObject({ status: 'requires_action', nextAction: { type: 'three_ds', creq: null, url: expect.stringContaining('/challenge/') } });
    await fetch(`${(body.nextAction as unknown as { url: string }).url}/end`, { method: 'POST', body: new URLSearchParams({ outcome: 'pass' }) });
    expect(await until(body.id, ({ status }) => status === 'captured')).toMatchObject({ status: 'captured' });
  });

  it('is reserved, captured or released, and refunded in parts', async () => {
    const [first, second] = [await pay({ captureMethod: 'manual' }), await pay({ captureMethod: 'manual' })];
    expect([first.body.status, second.body.status]).toEqual(['authorized', 'authorized']);
    expect((await post(`/v1/payments/${first.body.id}/capture`)).body).toMatchObject({ status: 'captured' });
    expect((await post(`/v1/payments/${second.body.id}/void`)).body).toMatchObject({ status: 'voided' });
    for (const amount of [2_900, 2_900]) expect((await refundPayment(service, ana.client, first.body.id, { amount })).body).toMatchObject({ status: 'succeeded', gatewayReference: expect.stringMatching(/^REF01/) });
    expect((await refundPayment(service, ana.client, first.body.id)).body).toMatchObject({ status: 'succeeded', amount: 7_100 });
    expect(booked()[0]).toMatchObject({ status: 'refunded' });
  });

  it('whose refund\'s reply is lost is refunded once', async () => {
    const { body } = await pay();
    service.mercadopago.faults.add({ route: 'POST /v1/orders/:id/refund', kind: 'reset_after_booking' });
    const refund = await refundPayment(service, ana.client, body.id, { amount: 2_900 });
    expect(refund.body.status).toBe('submitted');
    expect(await eventually(async () => (await service.ask<RefundBody>({ path: `/v1/refunds/${refund.body.id}`, key: ana.client })).body, ({ status }) => status !== 'submitted')).toMatchObject({ status: 'succeeded' });
    expect(booked()[0]?.refunds).toMatchObject([{ amount: 2_900 }]);
  });

  const ended = (id: string): Promise<RefundBody> => eventually(async () => (await service.ask<RefundBody>({ path: `/v1/refunds/${id}`, key: ana.client })).body, ({ status }) => status !== 'submitted');

  it('whose refund\'s reply is lost, after one of the same amount in the panel, is refunded twice and no more', async () => {
    listen();
    const { body } = await pay();
    service.mercadopago.panel.refund(booked()[0]?.id ?? 0, 500);
    expect(await until(body.id, ({ refunds }) => refunds.length > 0)).toMatchObject({ amountRefunded: 500, refunds: [{ origin: 'gateway' }] });
    service.mercadopago.faults.add({ route: 'POST /v1/orders/:id/refund', kind: 'reset_before_booking' });
    const refund = await refundPayment(service, ana.client, body.id, { amount: 500 });
    expect(refund.body.status).toBe('submitted');
    expect(await ended(refund.body.id)).toMatchObject({ status: 'succeeded' });
    expect(booked()[0]?.refunds).toMatchObject([{ amount: 500, status: 'approved' }, { amount: 500, status: 'approved' }]);
    expect(await readPayment(service, ana.client, body.id)).toMatchObject({ amountRefunded: 1_000, amountRefundPending: 0 });
  });

  it('whose refund is rejected keeps its money, though the reply was lost, or it was in process first', async () => {
    service.mercadopago.settings.change({ coversRefunds: false });
    const { body } = await pay();
    service.mercadopago.faults.add({ route: 'POST /v1/orders/:id/refund', kind: 'reset_after_booking' });
    const lost = await refundPayment(service, ana.client, body.id, { amount: 500 });
    expect(await ended(lost.body.id)).toMatchObject({ status: 'failed', failure: { pspCode: 'failed' } });
    service.mercadopago.settings.change({ refundsInProcess: true, refundAfterMs: null });
    const taken = await refundPayment(service, ana.client, body.id, { amount: 600 });
    expect(taken.body.status).toBe('submitted');
    service.mercadopago.panel.endRefund(booked()[0]?.id ?? 0, booked()[0]?.refunds.at(-1)?.id ?? 0, 'rejected');
    expect(await ended(taken.body.id)).toMatchObject({ status: 'failed' });
    expect(await readPayment(service, ana.client, body.id)).toMatchObject({ amountRefunded: 0, amountRefundPending: 0 });
  });

  it('is released, however MercadoPago spells that', async () => {
    service.mercadopago.settings.change({ cancelWord: 'cancelled' });
    const { body } = await pay({ captureMethod: 'manual' });
    expect((await post(`/v1/payments/${body.id}/void`)).body).toMatchObject({ status: 'voided' });
  });

  it('kept for a customer is charged for a renewal', async () => {
    const { body: customer } = await service.ask<{ id: string }>({ method: 'POST', path: '/v1/customers', key: ana.client, body: { email: 'ana@ejemplo.pe' } });
    const { body: method } = await service.ask<{ id: string }>({ method: 'POST', path: `/v1/customers/${customer.id}/payment-methods`, key: ana.client, body: { gateway: 'mercadopago', token: await mint() } });
    const { body } = await createPayment(service, ana.client, paymentOf('', { customer: { id: customer.id }, paymentMethod: { type: 'saved', savedMethodId: method.id, initiatedBy: 'merchant' } }));
    expect(body).toMatchObject({ status: 'captured', gatewayReference: expect.stringMatching(/^ORD01/) });
  });
});

describe('what an order looks like among the payments, under a number', () => {
  it('is no second charge to webhooks, nor to the daily look-over', async () => {
    listen();
    const { body } = await pay();
    await service.mercadopago.webhooks.idle();
    service.mercadopago.panel.refund(booked()[0]?.id ?? 0, 1_000);
    expect(await until(body.id, ({ refunds }) => refunds.length > 0)).toMatchObject({ amountRefunded: 1_000, refunds: [{ origin: 'gateway' }] });
    await lookOverNow(service.tables);
    await sleep(300);
    expect(await readPayment(service, ana.client, body.id)).toMatchObject({ status: 'captured', amountRefunded: 1_000, attempts: [{ operation: 'authorize' }] });
    expect(await tickets()).toEqual([]);
    expect(booked()).toHaveLength(1);
  });

  it('is no second charge when the webhook comes before the answer either', async () => {
    listen();
    service.mercadopago.faults.add({ route: 'POST /v1/orders', kind: 'delayed', delayMs: 500 });
    const { body } = await pay();
    await service.mercadopago.webhooks.idle();
    await sleep(500);
    expect(await readPayment(service, ana.client, body.id)).toMatchObject({ status: 'captured', gatewayReference: expect.stringMatching(/^ORD01/), amountRefunded: 0 });
    expect(await tickets()).toEqual([]);
    expect(booked()[0]?.refunds).toEqual([]);
  });
});

describe('an account that goes over to orders', () => {
  it('keeps its payments: looked up, refunded and told of by their numbers; vouchers and Yape stay where they were', async () => {
    ana = await newMerchant(service.ask);
    account = newMercadopagoAccount();
    await setApi('payments');
    const { body: before } = await pay({ captureMethod: 'manual' });
    expect(before.gatewayReference).toMatch(/^[0-9]+$/);
    expect((await setApi('orders')).status).toBe(200);
    listen();
    service.mercadopago.panel.approve(Number(before.gatewayReference));
    expect(await until(before.id, ({ status }) => status === 'captured')).toMatchObject({ status: 'captured' });
    expect((await refundPayment(service, ana.client, before.id, { amount: 500 })).body).toMatchObject({ status: 'succeeded' });
    const { body: voucher } = await createPayment(service, ana.client, paymentOf('', { gateway: 'mercadopago', paymentMethod: { type: 'cash_voucher' } }));
    expect(voucher).toMatchObject({ status: 'requires_action', gatewayReference: expect.stringMatching(/^[0-9]+$/) });
    service.mercadopago.panel.approve(Number(voucher.gatewayReference));
    expect(await until(voucher.id, ({ status }) => status === 'captured')).toMatchObject({ status: 'captured' });
    expect((await pay()).body.gatewayReference).toMatch(/^ORD01/);
  });
});
