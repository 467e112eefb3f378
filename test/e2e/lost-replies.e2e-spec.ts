import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { approvedCharges, createPayment, eventually, mintPixelpayToken, mintToken, paymentOf, pixelpayPaymentOf, settled, type PaymentBody } from '../support/payments.js';
import { mintMercadopagoToken, newMercadopagoAccount, putMercadopagoAccount } from '../support/mercadopago.js';
import { newMerchant, newMerchantOfBoth, startService, type Merchant, type Service } from '../support/service.js';

let service: Service;
beforeAll(async () => { service = await startService({ GATEWAY_TIMEOUT_MS: '700', LOOKUP_LAG_MS: '900', ABSENCE_AFTER_MS: '900' }); });
afterAll(() => service.close());

type Fault = Parameters<Service['sandbox']['faults']['add']>[0];

/** A payment whose creation meets a fault. */
async function payInto(fault: Omit<Fault, 'route'>): Promise<{ shop: Merchant; made: PaymentBody; status: number }> {
  const shop = await newMerchant(service.ask);
  const token = await mintToken(service.sandbox.url, shop);
  service.sandbox.faults.add({ route: 'POST /v2/charges', merchant: shop.culqi.merchant, ...fault });
  const { status, body } = await createPayment(service, shop.client, paymentOf(token));
  return { shop, made: body, status };
}

const tickets = (id: string) => service.tables.query<{ kind: string }>('select kind from tickets where payment_id = ?', [id]);

describe('a reply that is lost after the PSP booked (A1, A4, A6, A9)', () => {
  it.each<[string, Omit<Fault, 'route'>]>([
    ['by silence', { kind: 'hang_after_booking', delayMs: 5_000 }],
    ['by a reset', { kind: 'reset_after_booking' }],
    ['by 500', { kind: 'error_after_booking', status: 500 }],
    ['by 502', { kind: 'error_after_booking', status: 502 }],
    ['by 503', { kind: 'error_after_booking', status: 503 }],
    ['by 504', { kind: 'error_after_booking', status: 504 }],
    ['by a truncated body', { kind: 'truncated_body' }],
    ['by a cut connection', { kind: 'cut_body' }],
    ['by an empty body', { kind: 'empty_body' }],
    ['by a page of HTML', { kind: 'html_body' }],
    ['by a body that is too large', { kind: 'huge_body' }],
    ['by a slow drip', { kind: 'slow_drip', delayMs: 50 }],
  ])('%s leaves the payment processing until the PSP is asked, then captured, once', async (_fault, fault) => {
    const { shop, made, status } = await payInto(fault);
    expect(status).toBe(201);
    expect(made).toMatchObject({ status: 'processing', processingReason: 'outcome_unknown', attempts: [{ status: 'unknown' }] });
    expect(await settled(service, shop.client, made.id)).toMatchObject({ status: 'captured', amountCaptured: 12_900, attempts: [{ status: 'succeeded' }] });
    expect(approvedCharges(service, shop)).toHaveLength(1);
    expect(await tickets(made.id)).toEqual([]);
  });
});

describe('a call that the PSP never booked (A2)', () => {
  it.each<[string, Omit<Fault, 'route'>]>([
    ['by silence', { kind: 'hang_before_booking', delayMs: 5_000 }],
    ['by a reset', { kind: 'reset_before_booking' }],
    ['by 500', { kind: 'error_before_booking', status: 500 }],
    ['by 504', { kind: 'error_before_booking', status: 504 }],
    ['by a redirect (A22)', { kind: 'redirect', changes: { location: 'http://127.0.0.1:9/' } }],
  ])('%s is processing until absence is shown, then failed, and nothing was charged', async (_fault, fault) => {
    const { shop, made } = await payInto(fault);
    expect(made).toMatchObject({ status: 'processing', processingReason: 'outcome_unknown' });
    expect(await settled(service, shop.client, made.id)).toMatchObject({ status: 'failed', failure: { code: 'gateway_unavailable', retryable: true }, attempts: [{ status: 'failed' }] });
    expect(service.sandbox.books.charges(shop.culqi.merchant)).toEqual([]);
  });

  it('by 503 twice: the client pays again when each is known to have failed, and is charged once (A7)', async () => {
    const { shop, made } = await payInto({ kind: 'error_before_booking', status: 503, times: 2 });
    const pay = async () => (await createPayment(service, shop.client, paymentOf(await mintToken(service.sandbox.url, shop), { reference: 'ORD-7', uniqueReference: true }))).body;
    expect(await settled(service, shop.client, made.id)).toMatchObject({ status: 'failed', failure: { code: 'gateway_unavailable', retryable: true } });
    expect(await settled(service, shop.client, (await pay()).id)).toMatchObject({ status: 'failed', failure: { code: 'gateway_unavailable', retryable: true } });
    expect(await pay()).toMatchObject({ status: 'captured', amountCaptured: 12_900 });
    expect(approvedCharges(service, shop)).toHaveLength(1);
    expect(service.sandbox.books.requests(shop.culqi.merchant).filter(({ method, path }) => method === 'POST' && path === '/v2/charges')).toHaveLength(3);
  });

  it('because nobody listens is failed at once: no byte went out (A3)', async () => {
    const alone = await startService({ CULQI_API_URL: 'http://127.0.0.1:9' });
    try {
      const shop = await newMerchant(alone.ask);
      const made = await createPayment(alone, shop.client, paymentOf('tkn_test_0000000000000000'));
      expect(made).toMatchObject({ status: 201, body: { status: 'failed', failure: { code: 'gateway_unavailable', retryable: true }, attempts: [{ status: 'failed' }] } });
      expect(await settled(alone, shop.client, made.body.id)).toMatchObject({ status: 'failed' });
    } finally {
      await alone.close();
    }
  });

  it('by 429 is failed at once: surely nothing happened (A8)', async () => {
    const { shop, made } = await payInto({ kind: 'rate_limited' });
    expect(made).toMatchObject({ status: 'failed', failure: { code: 'gateway_unavailable', retryable: true } });
    expect(service.sandbox.books.charges(shop.culqi.merchant)).toEqual([]);
  });
});

describe('an answer that is not what was asked (A11)', () => {
  it.each([
    ['amount', { amount: 12_901 }],
    ['currency', { currency_code: 'USD' }],
    ['reference', { metadata: { attempt_id: 'att_00000000000000000000000000' } }],
  ])('with another %s is never a success, and the truth still resolves it', async (_field, changes) => {
    const { shop, made } = await payInto({ kind: 'wrong_answer', changes });
    expect(made).toMatchObject({ status: 'needs_review', amountCaptured: 0 });
    expect(await tickets(made.id)).toEqual([{ kind: 'mismatch' }]);
    const synced = await service.ask<PaymentBody>({ method: 'POST', path: `/v1/payments/${made.id}/sync`, key: shop.operator });
    expect(synced.body).toMatchObject({ status: 'captured', amountCaptured: 12_900 });
  });

  it('to a look-up at reserved money is asked about again before an operation on it is refused', async () => {
    const shop = await newMerchant(service.ask);
    const { body: made } = await createPayment(service, shop.client, paymentOf(await mintToken(service.sandbox.url, shop), { captureMethod: 'manual' }));
    service.sandbox.faults.add({ route: 'GET /v2/charges/:id', kind: 'wrong_answer', changes: { amount: 1 }, merchant: shop.culqi.merchant });
    expect((await service.ask<PaymentBody>({ method: 'POST', path: `/v1/payments/${made.id}/sync`, key: shop.operator })).body).toMatchObject({ status: 'needs_review' });
    expect(await service.ask<PaymentBody>({ method: 'POST', path: `/v1/payments/${made.id}/void`, key: shop.client, headers: { 'idempotency-key': randomUUID() } })).toMatchObject({ status: 200, body: { status: 'voided' } });
    expect(approvedCharges(service, shop)).toMatchObject([{ current_amount: 0 }]);
  });

  it('that comes again after people have dealt with it is theirs again, with an alert', async () => {
    const shop = await newMerchant(service.ask);
    const { body: made } = await createPayment(service, shop.client, paymentOf(await mintToken(service.sandbox.url, shop), { captureMethod: 'manual' }));
    const sync = async () => (await service.ask<PaymentBody>({ method: 'POST', path: `/v1/payments/${made.id}/sync`, key: shop.operator })).body.status;
    const lie = (amount: number) => service.sandbox.faults.add({ route: 'GET /v2/charges/:id', kind: 'wrong_answer', changes: { amount }, merchant: shop.culqi.merchant });
    const state = () => service.tables.query<{ id: string; status: string; evidence: string }>(`select id, status, evidence from tickets where payment_id = '${made.id}'`);
    lie(1);
    expect([await sync(), await sync()]).toEqual(['needs_review', 'authorized']);
    const [ticket] = await state();
    expect((await service.ask({ method: 'PATCH', path: `/v1/tickets/${ticket?.id}`, key: shop.operator, body: { status: 'resolved', resolution: 'Looked at.' } })).status).toBe(200);
    lie(2);
    expect(await sync()).toBe('needs_review');
    expect(await state()).toEqual([{ id: ticket?.id, status: 'open', evidence: expect.stringContaining('"amountMinor":"2"') as unknown }]);
  });

  it('with a word that nobody knows waits and raises an alert (A12)', async () => {
    const { made } = await payInto({ kind: 'unknown_word', changes: { outcomeType: 'in_mediation' } });
    expect(made).toMatchObject({ status: 'processing', processingReason: 'pending_at_gateway' });
    expect(await tickets(made.id)).toEqual([{ kind: 'unmapped_status' }]);
  });
});

describe('look-ups', () => {
  it('leave a PSP alone for as long as it asks for, whoever reads meanwhile (A8)', async () => {
    const shop = await newMerchant(service.ask);
    service.sandbox.faults.add({ route: 'GET /v2/charges', kind: 'rate_limited', retryAfterSeconds: 8, merchant: shop.culqi.merchant });
    service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking', merchant: shop.culqi.merchant });
    const { body: made } = await createPayment(service, shop.client, paymentOf(await mintToken(service.sandbox.url, shop)));
    expect(await settled(service, shop.client, made.id)).toMatchObject({ status: 'captured' });
    const [refused, next] = service.sandbox.books.requests(shop.culqi.merchant).filter(({ method }) => method === 'GET').map(({ at }) => at);
    expect((next ?? 0) - (refused ?? 0)).toBeGreaterThanOrEqual(7_900);
  }, 30_000);

  it('that fail to the end of the schedule park the payment with a ticket, and a later sync still resolves it', async () => {
    const shop = await newMerchant(service.ask);
    const token = await mintToken(service.sandbox.url, shop);
    service.sandbox.faults.add({ route: 'GET /v2/charges', kind: 'error_before_booking', status: 503, times: 50, merchant: shop.culqi.merchant });
    service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking', merchant: shop.culqi.merchant });
    const { body: made } = await createPayment(service, shop.client, paymentOf(token));
    expect(await settled(service, shop.client, made.id)).toMatchObject({ status: 'needs_review', attempts: [{ status: 'unknown' }] });
    expect(await tickets(made.id)).toEqual([{ kind: 'unresolved_outcome' }]);
    service.sandbox.faults.clear();
    const synced = await service.ask<PaymentBody>({ method: 'POST', path: `/v1/payments/${made.id}/sync`, key: shop.operator });
    expect(synced.body).toMatchObject({ status: 'captured', amountCaptured: 12_900 });
  });

  it('of several lost payments of an account share a listing', async () => {
    const shop = await newMerchant(service.ask);
    const tokens = await Promise.all(Array.from({ length: 8 }, () => mintToken(service.sandbox.url, shop)));
    service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking', times: tokens.length, merchant: shop.culqi.merchant });
    const made = await Promise.all(tokens.map((token) => createPayment(service, shop.client, paymentOf(token))));
    expect(made.map(({ body }) => body.status)).toEqual(tokens.map(() => 'processing'));
    const ends = await Promise.all(made.map(({ body }) => settled(service, shop.client, body.id)));
    expect(ends.map(({ status }) => status)).toEqual(tokens.map(() => 'captured'));
    expect(new Set(ends.map(({ gatewayReference }) => gatewayReference)).size).toBe(tokens.length);
    expect(service.sandbox.books.requests(shop.culqi.merchant).filter(({ method, path }) => method === 'GET' && path.startsWith('/v2/charges')).length).toBeLessThan(tokens.length);
  });

  it('are pulled forward by a reader, who does not wait for them', async () => {
    const slow = await startService({ GATEWAY_TIMEOUT_MS: '700', RESOLVE_SCHEDULE: '1h' });
    try {
      const shop = await newMerchant(slow.ask);
      const token = await mintToken(slow.sandbox.url, shop);
      slow.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking' });
      const { body: made } = await createPayment(slow, shop.client, paymentOf(token));
      expect(made.status).toBe('processing');
      await sleep(300);
      expect(slow.sandbox.books.requests().filter(({ method }) => method === 'GET')).toEqual([]);
      expect(await settled(slow, shop.client, made.id)).toMatchObject({ status: 'captured' });
      expect(slow.sandbox.books.requests().filter(({ method }) => method === 'GET')).toHaveLength(1);
    } finally {
      await slow.close();
    }
  });

  it('find a charge that stands on the second page (A24)', async () => {
    const patient = await startService({ GATEWAY_TIMEOUT_MS: '700', RESOLVE_SCHEDULE: '1h' });
    try {
      const shop = await newMerchant(patient.ask);
      const token = await mintToken(patient.sandbox.url, shop);
      patient.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking' });
      const { body: made } = await createPayment(patient, shop.client, paymentOf(token));
      // The PSP lists newest first: a hundred later charges push ours off the first page.
      expect(await chargeBehindOurBack(patient, shop, 101)).toBe(101);
      const synced = await patient.ask<PaymentBody>({ method: 'POST', path: `/v1/payments/${made.id}/sync`, key: shop.operator });
      expect(synced.body).toMatchObject({ status: 'captured', amountCaptured: 12_900 });
    } finally {
      await patient.close();
    }
  });
});

describe('a look-up that lags behind the books (A15, I4)', () => {
  /** Longer than a call's deadline and the time after it from which absence counts: nothing but LOOKUP_LAG_MS stands against a false failure. */
  const lookupLagMs = 3_000;
  let slow: Service;
  beforeAll(async () => {
    slow = await startService({ GATEWAY_TIMEOUT_MS: '700', ABSENCE_AFTER_MS: '100', LOOKUP_LAG_MS: '6000', RESOLVE_SCHEDULE: '100ms,300ms,300ms,300ms' });
    for (const { settings } of [slow.sandbox, slow.pixelpay, slow.mercadopago]) settings.change({ lookupLagMs });
  });
  afterAll(() => slow.close());

  it.each(['culqi', 'pixelpay', 'mercadopago'] as const)('at %s is no evidence of absence: the payment whose reply was lost is captured, once', async (gateway) => {
    const { shop, body, emulator, route, booked } = await shopAt(slow, gateway);
    emulator.faults.add({ route, kind: 'reset_after_booking' });
    const { body: made } = await createPayment(slow, shop.client, body);
    expect(made).toMatchObject({ status: 'processing', processingReason: 'outcome_unknown' });
    // It was looked for in vain after the time from which absence counts.
    const absences = () => slow.tables.query('select id from payment_attempts where payment_id = ? and first_absent_at is not null', [made.id]);
    expect(await eventually(absences, (rows) => rows.length > 0)).toHaveLength(1);
    expect(await settled(slow, shop.client, made.id)).toMatchObject({ status: 'captured', amountCaptured: 12_900 });
    expect(booked()).toHaveLength(1);
  });
});

/** A shop with an account at a PSP, and what an ordinary payment there is. */
async function shopAt(service: Service, gateway: 'culqi' | 'pixelpay' | 'mercadopago') {
  const shop = await newMerchantOfBoth(service.ask);
  if (gateway === 'culqi') {
    const { sandbox: emulator } = service;
    return { shop, emulator, route: 'POST /v2/charges', body: paymentOf(await mintToken(emulator.url, shop), { gateway }), booked: () => emulator.books.charges(shop.culqi.merchant) };
  }
  if (gateway === 'pixelpay') {
    const { pixelpay: emulator } = service;
    return { shop, emulator, route: 'POST /v2/payments', body: pixelpayPaymentOf(await mintPixelpayToken(emulator.url, shop)), booked: () => emulator.books.payments(shop.pixelpay.merchant) };
  }
  const { mercadopago: emulator } = service;
  const account = newMercadopagoAccount();
  await putMercadopagoAccount(service, shop, account);
  const paymentMethod = { type: 'card', tokens: { mercadopago: await mintMercadopagoToken(emulator.url, account) }, options: { mercadopago: { paymentMethodId: 'visa' } } };
  return { shop, emulator, route: 'POST /v1/payments', body: paymentOf('', { gateway, paymentMethod }), booked: () => emulator.books.payments(account.merchant) };
}

/** Charges made at the PSP behind our back, as another system of the merchant's would. */
async function chargeBehindOurBack({ sandbox }: Service, shop: Merchant, count: number): Promise<number> {
  let made = 0;
  for (let i = 0; i < count; i++) {
    const token = await mintToken(sandbox.url, shop);
    const response = await fetch(`${sandbox.url}/v2/charges`, {
      method: 'POST', headers: { authorization: `Bearer ${shop.culqi.secretKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ amount: 1_000, currency_code: 'PEN', email: 'ana@ejemplo.pe', source_id: token }),
    });
    if (response.status === 201) made++;
    await response.arrayBuffer();
  }
  return made;
}
