import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPayment, eventually, mintPixelpayToken, mintToken, paidAtCulqi, paymentOf, pixelpayPaymentOf, readPayment, settled, type PaymentBody } from '../support/payments.js';
import { newMerchantOfBoth, startService, type Merchant, type Service } from '../support/service.js';

let service: Service;
let ana: Merchant;
beforeAll(async () => { service = await startService({ RESOLVE_SCHEDULE: '200ms,300ms,400ms,400ms,400ms,400ms,400ms' }); });
afterAll(() => service.close());
beforeEach(async () => {
  ana = await newMerchantOfBoth(service.ask);
  service.sandbox.faults.clear();
  service.pixelpay.faults.clear();
  service.pixelpay.settings.change({ completeAfterMs: 300, refundAfterMs: 200 });
});

const tickets = (paymentId: string) => service.tables.query<{ kind: string }>(`select kind from tickets where payment_id = '${paymentId}' order by kind`);
const returned = (id: string): Promise<PaymentBody> => eventually(() => readPayment(service, ana.client, id), ({ attempts }) => attempts.at(-1)?.operation !== 'authorize' && attempts.at(-1)?.status === 'succeeded');
/** Culqi books a charge under an attempt of ours that was closed long ago. */
async function bookLate(attemptId: string | undefined, paymentId: string, capture: boolean): Promise<string> {
  const response = await fetch(`${service.sandbox.url}/v2/charges`, {
    method: 'POST', headers: { authorization: `Bearer ${ana.culqi.secretKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      amount: 12_900, currency_code: 'PEN', email: 'ana@ejemplo.pe', source_id: await mintToken(service.sandbox.url, ana), capture, metadata: { attempt_id: attemptId, payment_id: paymentId },
    }),
  });
  return ((await response.json()) as { id: string }).id;
}
const hear = (chargeId: string, attemptId: string | undefined) => service.ask({
  method: 'POST', path: `/webhooks/culqi/${ana.tenantId}`, headers: { 'content-type': 'application/json' },
  body: { object: 'event', id: `evt_test_${chargeId.slice(-16)}`, type: 'charge.creation.succeeded', data: { object: 'charge', id: chargeId, metadata: { attempt_id: attemptId } } },
});

const kindsOf = async (paymentId: string): Promise<string[]> => (await tickets(paymentId)).map(({ kind }) => kind);
/** A payment that PixelPay never saw, and was called failed for that; its webhooks reach us from now on. */
async function failedAtPixelpay(): Promise<{ failed: PaymentBody; bookLatePayment: () => Promise<string> }> {
  service.pixelpay.faults.add({ route: 'POST /v2/payments', kind: 'reset_before_booking' });
  const token = await mintPixelpayToken(service.pixelpay.url, ana);
  const failed = await settled(service, ana.client, (await createPayment(service, ana.client, pixelpayPaymentOf(token))).body.id);
  expect(failed.status).toBe('failed');
  service.pixelpay.webhooks.change(ana.pixelpay.merchant, { url: `${await listening()}/webhooks/pixelpay/${ana.tenantId}` });
  return {
    failed,
    async bookLatePayment() {
      const response = await fetch(`${service.pixelpay.url}/v2/payments`, {
        method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ api_key: ana.pixelpay.apiKey, amount: 12_900, currency: 'DOP', card_token: token, customer_email: 'ana@ejemplo.do', order_id: failed.attempts[0]?.id }),
      });
      return ((await response.json()) as { txn_id: string }).txn_id;
    },
  };
}

describe('money that moves for a payment that was called failed', () => {
  it.each([['captured', true, 'refund'], ['reserved', false, 'void']] as const)('and is %s goes back at once, with a ticket (late_capture)', async (_how, capture, operation) => {
    service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_before_booking' });
    const made = await createPayment(service, ana.client, paymentOf(await mintToken(service.sandbox.url, ana)));
    const failed = await settled(service, ana.client, made.body.id);
    expect(failed).toMatchObject({ status: 'failed', failure: { code: 'gateway_unavailable' } });

    const chargeId = await bookLate(failed.attempts[0]?.id, failed.id, capture);
    await hear(chargeId, failed.attempts[0]?.id);
    const shown = await returned(failed.id);
    expect(shown).toMatchObject({ status: 'failed', amountCaptured: 0, attempts: [{ operation: 'authorize', status: 'succeeded' }, { operation, status: 'succeeded', gatewayReference: chargeId }] });
    expect(await tickets(failed.id)).toEqual([{ kind: 'late_capture' }]);
    const charge = service.sandbox.books.charges(ana.culqi.merchant).find(({ id }) => id === chargeId);
    expect(charge).toMatchObject({ amount_refunded: 12_900, current_amount: 0 });
    expect(service.sandbox.books.refunds(ana.culqi.merchant)).toHaveLength(1);
  });

  it('goes back but for what somebody gave back in the panel', async () => {
    service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_before_booking' });
    const failed = await settled(service, ana.client, (await createPayment(service, ana.client, paymentOf(await mintToken(service.sandbox.url, ana)))).body.id);
    const chargeId = await bookLate(failed.attempts[0]?.id, failed.id, true);
    service.sandbox.panel.refund(chargeId, 900);
    await hear(chargeId, failed.attempts[0]?.id);
    expect((await returned(failed.id)).attempts).toMatchObject([{ operation: 'authorize' }, { operation: 'refund', status: 'succeeded' }]);
    expect(service.sandbox.books.refunds(ana.culqi.merchant).map(({ amount }) => amount)).toEqual([900, 12_000]);
  });

  it('goes back however long the PSP is away, and goes back once though it is seen again and again', async () => {
    service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_before_booking' });
    const failed = await settled(service, ana.client, (await createPayment(service, ana.client, paymentOf(await mintToken(service.sandbox.url, ana)))).body.id);
    const chargeId = await bookLate(failed.attempts[0]?.id, failed.id, true);
    service.sandbox.faults.add({ route: 'POST /v2/refunds', kind: 'rate_limited', times: 3, merchant: ana.culqi.merchant });
    service.sandbox.faults.add({ route: 'POST /v2/refunds', kind: 'delayed', delayMs: 400, merchant: ana.culqi.merchant });
    for (let i = 0; i < 6; i++) {
      await hear(chargeId, failed.attempts[0]?.id);
      await sleep(150);
    }
    await eventually(() => service.sandbox.books.refunds(ana.culqi.merchant), (refunds) => refunds.length > 0);
    await returned(failed.id);
    expect(service.sandbox.books.refunds(ana.culqi.merchant)).toMatchObject([{ charge_id: chargeId, amount: 12_900 }]);
  });

  it('at PixelPay goes back, also when the first try to give it back is lost', async () => {
    const { failed, bookLatePayment } = await failedAtPixelpay();
    service.pixelpay.faults.add({ route: 'POST /v2/payments/:id/refunds', kind: 'reset_before_booking' });
    const txnId = await bookLatePayment();
    const shown = await returned(failed.id);
    expect(shown.attempts.map(({ operation }) => operation)).toEqual(['authorize', 'refund', 'refund']);
    expect(service.pixelpay.books.payments(ana.pixelpay.merchant)).toMatchObject([{ txn_id: txnId, refunded: 12_900 }]);
    expect(await kindsOf(failed.id)).toEqual(['late_capture']);
  });

  it('goes back also when the PSP shows it as pending first', async () => {
    const { failed, bookLatePayment } = await failedAtPixelpay();
    service.pixelpay.faults.add({ route: 'GET /v2/payments/:id', kind: 'wrong_answer', times: 2, changes: { status: 'pending' } });
    await bookLatePayment();
    expect(await eventually(() => kindsOf(failed.id), (kinds) => kinds.length > 0)).toEqual(['late_capture']);
  });

  it('goes back also when the PSP\'s list lags behind its webhook', async () => {
    service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_before_booking' });
    const failed = await settled(service, ana.client, (await createPayment(service, ana.client, paymentOf(await mintToken(service.sandbox.url, ana)))).body.id);
    const chargeId = await bookLate(failed.attempts[0]?.id, failed.id, true);
    service.sandbox.settings.change({ lookupLagMs: 1_000 });
    await hear(chargeId, failed.attempts[0]?.id);
    expect(await eventually(() => kindsOf(failed.id), (kinds) => kinds.length > 0)).toEqual(['late_capture']);
    service.sandbox.settings.change({ lookupLagMs: 0 });
  });
});

describe('a webhook that tells of money that never moved', () => {
  it('is asked about a few times where nobody proved who sent it, and is dealt with then (B11)', async () => {
    service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_before_booking' });
    const failed = await settled(service, ana.client, (await createPayment(service, ana.client, paymentOf(await mintToken(service.sandbox.url, ana)))).body.id);
    const lookUps = (): number => service.sandbox.books.requests(ana.culqi.merchant).filter(({ method }) => method === 'GET').length;
    const before = lookUps();
    await hear('chr_test_0000000000000000', failed.attempts[0]?.id);
    const ended = await eventually(() => service.tables.query<{ status: string }>(`select status from webhook_events where tenant_id = '${ana.tenantId}'`), ([event]) => event?.status !== 'received');
    expect(ended).toEqual([{ status: 'processed' }]);
    expect(lookUps() - before).toBe(6);
    expect(await readPayment(service, ana.client, failed.id)).toMatchObject({ status: 'failed', amountCaptured: 0 });
  });
});

describe('a charge of ours that only a webhook names', () => {
  const givenBack = () => eventually(() => service.sandbox.books.refunds(ana.culqi.merchant), (refunds) => refunds.length > 0);

  it('goes back when the payment has been paid by another', async () => {
    const paid = await paidAtCulqi(service, ana);
    const second = await bookLate(paid.attempts[0]?.id, paid.id, true);
    await hear(second, paid.attempts[0]?.id);
    expect(await givenBack()).toMatchObject([{ charge_id: second, amount: 12_900 }]);
    expect(await readPayment(service, ana.client, paid.id)).toMatchObject({ status: 'captured', gatewayReference: paid.gatewayReference, amountRefunded: 0 });
  });

  it('goes back when the attempt was declined', async () => {
    const declined = (await createPayment(service, ana.client, paymentOf(await mintToken(service.sandbox.url, ana, { number: '4000020000000000', cvv: '354' })))).body;
    expect(declined.status).toBe('failed');
    const second = await bookLate(declined.attempts[0]?.id, declined.id, true);
    await hear(second, declined.attempts[0]?.id);
    expect(await givenBack()).toMatchObject([{ charge_id: second, amount: 12_900 }]);
  });
});

describe('while a return is on its way', () => {
  it('it is not asked for again', async () => {
    service.pixelpay.settings.change({ refundAfterMs: null });
    const { failed, bookLatePayment } = await failedAtPixelpay();
    await bookLatePayment();
    await eventually(() => service.pixelpay.books.refunds(ana.pixelpay.merchant), (refunds) => refunds.length > 0);
    await sleep(2_000);
    const asked = service.pixelpay.books.requests(ana.pixelpay.merchant).filter(({ method, path }) => method === 'POST' && path.endsWith('/refunds'));
    expect(asked).toHaveLength(1);
    service.pixelpay.panel.completeRefund(ana.pixelpay.merchant, service.pixelpay.books.refunds(ana.pixelpay.merchant)[0]?.refund_id ?? '');
    expect((await returned(failed.id)).attempts.map(({ operation, status }) => [operation, status])).toEqual([['authorize', 'succeeded'], ['refund', 'succeeded']]);
  });

  it('a PSP that keeps refusing it is asked eight times at most', async () => {
    service.pixelpay.settings.change({ refundAfterMs: null });
    const { failed, bookLatePayment } = await failedAtPixelpay();
    await bookLatePayment();
    const refunds = () => service.pixelpay.books.refunds(ana.pixelpay.merchant);
    const refusing = setInterval(() => { for (const { refund_id: id, status } of refunds()) if (status === 'pending') service.pixelpay.panel.failRefund(ana.pixelpay.merchant, id); }, 20);
    await eventually(refunds, (asked) => asked.length >= 8, 25_000);
    await sleep(2_000);
    clearInterval(refusing);
    expect(refunds()).toHaveLength(8);
    expect(await kindsOf(failed.id)).toEqual(['late_capture']);
  }, 45_000);
});

describe('a charge that exists twice', () => {
  it('is kept once; the other goes back as a duplicate, with a ticket', async () => {
    service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'hang_after_booking' });
    const making = createPayment(service, ana.client, paymentOf(await mintToken(service.sandbox.url, ana)));
    const first = await eventually(() => service.sandbox.books.charges(ana.culqi.merchant)[0], (charge) => charge !== undefined);
    const second = await bookLate(first?.metadata['attempt_id'] as string, first?.metadata['payment_id'] as string, true);
    const { body } = await making;
    expect(await settled(service, ana.client, body.id)).toMatchObject({ status: 'captured', gatewayReference: first?.id, amountRefunded: 0 });
    await returned(body.id);
    expect(service.sandbox.books.refunds(ana.culqi.merchant)).toMatchObject([{ charge_id: second, amount: 12_900, reason: 'Duplicado' }]);
    expect(await tickets(body.id)).toEqual([{ kind: 'duplicate_charge' }]);
  });
});

let address: string | undefined;
async function listening(): Promise<string> {
  if (address === undefined) {
    await service.app.listen(0, '127.0.0.1');
    address = await service.app.getUrl();
  }
  return address;
}
