import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPayment, eventually, mintPixelpayToken, mintToken, paidAtCulqi, paymentOf, pixelpayPaymentOf, readPayment, settled, type PaymentBody } from '../support/payments.js';
import { lookOverNow } from '../support/look-over.js';
import { newMerchantOfBoth, startService, type Merchant, type Service } from '../support/service.js';

const TEN_DAYS_MS = 10 * 24 * 60 * 60_000;
let behindMs = 0;
let service: Service;
let ana: Merchant;
beforeAll(async () => { service = await startService({}, { nowMs: () => Date.now() - behindMs }); });
afterAll(() => service.close());
beforeEach(async () => {
  ana = await newMerchantOfBoth(service.ask);
  service.sandbox.faults.clear();
});

const read = (id: string): Promise<PaymentBody> => readPayment(service, ana.client, id);
const lookOver = (): Promise<void> => lookOverNow(service.tables);
const tickets = (where: string) => service.tables.query<{ kind: string }>(`select kind from tickets where tenant_id = '${ana.tenantId}' and ${where}`);
async function book(metadata: object, changes: object = {}): Promise<string> {
  const response = await fetch(`${service.sandbox.url}/v2/charges`, {
    method: 'POST', headers: { authorization: `Bearer ${ana.culqi.secretKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ amount: 12_900, currency_code: 'PEN', email: 'ana@ejemplo.pe', source_id: await mintToken(service.sandbox.url, ana), metadata, ...changes }),
  });
  return ((await response.json()) as { id: string }).id;
}

describe('the daily look-over', () => {
  it('finds refunds of the panel, captures and releases by Culqi itself, that nobody told us of', async () => {
    const refunded = await paidAtCulqi(service, ana);
    const reserve = async () => (await createPayment(service, ana.client, paymentOf(await mintToken(service.sandbox.url, ana), { captureMethod: 'manual', gateway: 'culqi' }))).body;
    const [taken, released] = [await reserve(), await reserve()];
    service.sandbox.panel.refund(refunded.gatewayReference ?? '', 900);
    service.sandbox.panel.capture(taken.gatewayReference ?? '');
    service.sandbox.panel.expire(released.gatewayReference ?? '');
    await lookOver();
    expect(await eventually(() => read(refunded.id), ({ refunds }) => refunds.length > 0)).toMatchObject({ amountRefunded: 900, refunds: [{ origin: 'gateway' }] });
    expect([(await read(taken.id)).status, (await read(released.id)).status]).toEqual(['captured', 'voided']);
    const timeline = await service.ask<{ data: { cause: string; to?: string }[] }>({ path: `/v1/payments/${taken.id}/timeline`, key: ana.client });
    expect(timeline.body.data).toContainEqual(expect.objectContaining({ cause: 'look_over', to: 'captured' }));
  });

  it('gives back money that came for a failed payment, and a second charge', async () => {
    service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_before_booking' });
    const failed = await settled(service, ana.client, (await createPayment(service, ana.client, paymentOf(await mintToken(service.sandbox.url, ana), { gateway: 'culqi' }))).body.id);
    const paid = await paidAtCulqi(service, ana);
    const late = await book({ attempt_id: failed.attempts[0]?.id, payment_id: failed.id });
    const second = await book({ attempt_id: paid.attempts[0]?.id, payment_id: paid.id });
    await lookOver();
    for (const [payment, charge] of [[failed, late], [paid, second]] as const) {
      expect(await eventually(() => read(payment.id), ({ attempts }) => attempts.at(-1)?.operation === 'refund' && attempts.at(-1)?.status === 'succeeded')).toMatchObject({ status: payment.status, amountRefunded: 0 });
      expect(service.sandbox.books.charges(ana.culqi.merchant).find(({ id }) => id === charge)).toMatchObject({ current_amount: 0 });
    }
    expect(service.sandbox.books.charges(ana.culqi.merchant).find(({ id }) => id === paid.gatewayReference)).toMatchObject({ current_amount: 12_900 });
  });

  it('reports money under an id of ours that we do not know, once, and leaves alone what was never ours', async () => {
    await book({ attempt_id: 'att_00000000000000000000000000' });
    await book({ order_id: '7001' });
    await lookOver();
    await lookOver();
    expect(await tickets('payment_id is null')).toEqual([{ kind: 'unknown_payment' }]);
  });

  it('reports what was paid after the copy of the database was made that is in use now (D9)', async () => {
    const kept = await paidAtCulqi(service, ana);
    const forgotten = await paidAtCulqi(service, ana);
    for (const table of ['payments', 'payment_attempts', 'payment_transitions', 'idempotency_keys']) {
      const where = { payments: 'id = ?', payment_attempts: 'payment_id = ?', payment_transitions: 'payment_id = ?', idempotency_keys: 'attempt_id = ?' }[table];
      await service.tables.query(`delete from ${table} where ${where}`, [table === 'idempotency_keys' ? forgotten.attempts[0]?.id : forgotten.id]);
    }
    await lookOver();
    const found = await service.tables.query<{ evidence: string }>(`select evidence from tickets where tenant_id = '${ana.tenantId}' and kind = 'unknown_payment'`);
    expect(found).toHaveLength(1);
    expect(found[0]?.evidence).toContain(forgotten.gatewayReference);
    expect(await read(kept.id)).toMatchObject({ status: 'captured', version: kept.version });
  });

  it('is not needed where a PSP that lists nothing tells of money under an id of ours that we do not know: that is reported, too (D9)', async () => {
    const booked = await fetch(`${service.pixelpay.url}/v2/payments`, {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ api_key: ana.pixelpay.apiKey, amount: 12_900, currency: 'DOP', card_token: await mintPixelpayToken(service.pixelpay.url, ana), customer_email: 'ana@ejemplo.pe', order_id: 'att_00000000000000000000000000' }),
    });
    const { txn_id: reference } = (await booked.json()) as { txn_id: string };
    await eventually(() => service.pixelpay.books.payments(ana.pixelpay.merchant), ([payment]) => payment?.status === 'completed');
    const body = JSON.stringify({ event: 'payment.completed', txn_id: reference, status: 'completed' });
    const headers = { 'content-type': 'application/json', 'x-pixelpay-signature': createHmac('sha256', ana.pixelpay.webhookSecret).update(body).digest('hex') };
    expect((await service.ask({ method: 'POST', path: `/webhooks/pixelpay/${ana.tenantId}`, body, headers })).status).toBe(200);
    expect(await eventually(() => tickets('payment_id is null'), ({ length }) => length > 0)).toEqual([{ kind: 'unknown_payment' }]);
    expect(await service.tables.query(`select status from webhook_events where tenant_id = '${ana.tenantId}'`)).toEqual([{ status: 'quarantined' }]);
  });

  it('goes past a payment that cannot be compared', async () => {
    // Culqi lists the newest first: the other comes after it.
    const other = await paidAtCulqi(service, ana);
    const poison = await paidAtCulqi(service, ana);
    for (const { gatewayReference } of [poison, other]) service.sandbox.panel.refund(gatewayReference ?? '', 300);
    await service.tables.query('update payments set failure = ? where id = ?', ['{', poison.id]);
    await lookOver();
    expect(await eventually(() => read(other.id), ({ refunds }) => refunds.length > 0)).toMatchObject({ amountRefunded: 300 });
  });

  it('finds a refund of today in the panel, of a payment that is older than the days that it looks back', async () => {
    behindMs = TEN_DAYS_MS;
    const payment = await paidAtCulqi(service, ana);
    behindMs = 0;
    await lookOver();
    expect(await read(payment.id)).toMatchObject({ version: payment.version });
    service.sandbox.panel.refund(payment.gatewayReference ?? '', 900);
    await lookOver();
    expect(await eventually(() => read(payment.id), ({ refunds }) => refunds.length > 0)).toMatchObject({ amountRefunded: 900, refunds: [{ origin: 'gateway' }] });
  });

  it('opens one ticket for a payment that is disputed, however old it is, and moves nothing', async () => {
    behindMs = TEN_DAYS_MS;
    const payment = await paidAtCulqi(service, ana);
    behindMs = 0;
    service.sandbox.panel.dispute(payment.gatewayReference ?? '');
    await lookOver();
    await lookOver();
    expect(await tickets(`payment_id = '${payment.id}'`)).toEqual([{ kind: 'chargeback' }]);
    expect(await read(payment.id)).toMatchObject({ status: 'captured', version: payment.version, amountRefunded: 0 });
  });

  it('asks a PSP that lists nothing about each payment: a refund in its panel, and money that came for a payment that was called failed', async () => {
    const paid = async () => settled(service, ana.client, (await createPayment(service, ana.client, pixelpayPaymentOf(await mintPixelpayToken(service.pixelpay.url, ana)))).body.id);
    const [payment, other] = [await paid(), await paid()];
    service.pixelpay.panel.refund(payment.gatewayReference ?? '', 700);
    service.pixelpay.faults.add({ route: 'POST /v2/payments', kind: 'reset_before_booking' });
    const failed = await paid();
    expect(failed).toMatchObject({ status: 'failed', failure: { code: 'gateway_unavailable' } });
    const late = await fetch(`${service.pixelpay.url}/v2/payments`, {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ api_key: ana.pixelpay.apiKey, amount: 12_900, currency: 'DOP', card_token: await mintPixelpayToken(service.pixelpay.url, ana), customer_email: 'ana@ejemplo.pe', order_id: failed.attempts[0]?.id, description: 'late' }),
    });
    expect(late.status).toBe(200);
    await eventually(() => service.pixelpay.books.payments(ana.pixelpay.merchant), (payments) => payments.every(({ status }) => status === 'completed'));
    await lookOver();
    expect(await eventually(() => read(payment.id), ({ refunds }) => refunds.length > 0)).toMatchObject({ amountRefunded: 700, refunds: [{ origin: 'gateway' }] });
    expect(await eventually(() => read(failed.id), ({ attempts }) => attempts.at(-1)?.operation === 'refund' && attempts.at(-1)?.status === 'succeeded')).toMatchObject({ status: 'failed' });
    expect(service.pixelpay.books.payments(ana.pixelpay.merchant).find(({ order_id: id }) => id === failed.attempts[0]?.id)).toMatchObject({ refunded: 12_900 });
    expect(await read(other.id)).toMatchObject({ version: other.version, refunds: [] });
  });

  it('tries again when a PSP that lists nothing does not answer, and asks in shorter ranges where there are many', async () => {
    const paid = async () => settled(service, ana.client, (await createPayment(service, ana.client, pixelpayPaymentOf(await mintPixelpayToken(service.pixelpay.url, ana)))).body.id);
    const payment = await paid();
    service.pixelpay.panel.refund(payment.gatewayReference ?? '', 100);
    // More than are asked for at once, made within an hour of each other.
    const many = Array.from({ length: 51 }, (_, i) => i);
    const row = (await service.tables.query<Record<string, unknown>>(`select * from payments where id = '${payment.id}'`))[0] ?? {};
    for (const i of many) {
      const copy = { ...row, id: payment.id.slice(0, -4) + String(i).padStart(4, '0'), gateway_reference: null, unique_reference: null, created_at: new Date(Date.now() - (i + 2) * 60_000) };
      await service.tables.query(`insert into payments (${Object.keys(copy).join(', ')}) values (${Object.keys(copy).map(() => '?').join(', ')})`, Object.values(copy));
    }
    service.pixelpay.faults.add({ route: 'GET /v2/payments/:id', kind: 'error_before_booking' });
    await lookOver();
    expect(await eventually(() => read(payment.id), ({ refunds }) => refunds.length > 0)).toMatchObject({ amountRefunded: 100 });
  });

  it('changes nothing where the books agree, however often', async () => {
    const payment = await paidAtCulqi(service, ana);
    await lookOver();
    await lookOver();
    expect(await read(payment.id)).toMatchObject({ version: payment.version, refunds: [] });
    expect(await tickets('1 = 1')).toEqual([]);
  });

  it('tries again when Culqi does not answer', async () => {
    const payment = await paidAtCulqi(service, ana);
    service.sandbox.panel.refund(payment.gatewayReference ?? '', 100);
    service.sandbox.faults.add({ route: 'GET /v2/charges', kind: 'error_before_booking' });
    await lookOver();
    expect(await eventually(() => read(payment.id), ({ refunds }) => refunds.length > 0)).toMatchObject({ amountRefunded: 100 });
  });
});
