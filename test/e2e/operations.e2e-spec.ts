import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPayment, mintToken, paymentOf, readPayment, type PaymentBody, type ProblemBody } from '../support/payments.js';
import { newMerchant, startService, type Answer, type Merchant, type Service } from '../support/service.js';

type Shown = PaymentBody & { pendingOperation: string | null; authorizationExpiresAt: string | null; attempts: { operation: string }[] };

let service: Service;
let shop: Merchant;
beforeAll(async () => { service = await startService(); }, 30_000);
afterAll(() => service.close());
beforeEach(async () => { shop = await newMerchant(service.ask); });

const authorize = async (): Promise<Shown> => {
  const made = await createPayment(service, shop.client, paymentOf(await mintToken(service.sandbox.url, shop), { captureMethod: 'manual' }));
  expect(made).toMatchObject({ status: 201, body: { status: 'authorized' } });
  return made.body as Shown;
};
const operate = (operation: 'capture' | 'void', id: string, { body, key = randomUUID() }: { body?: unknown; key?: string } = {}): Promise<Answer<Shown & ProblemBody>> =>
  service.ask<Shown & ProblemBody>({ method: 'POST', path: `/v1/payments/${id}/${operation}`, key: shop.client, headers: { 'idempotency-key': key }, ...(body === undefined ? {} : { body }) });
const show = (id: string): Promise<Shown> => readPayment(service, shop.client, id) as Promise<Shown>;
/** The payment once nothing of it is in doubt. */
const calm = async (id: string): Promise<Shown> => {
  for (const endsAt = Date.now() + 12_000; ; await sleep(50)) {
    const payment = await show(id);
    if (payment.pendingOperation === null || Date.now() > endsAt) return payment;
  }
};
const charge = () => service.sandbox.books.charges(shop.culqi.merchant).at(-1);

describe('reserved money', () => {
  it('is taken: the payment is captured, once, however often it is asked under one key', async () => {
    const payment = await authorize();
    expect(payment).toMatchObject({ amountCaptured: 0, pendingOperation: null, attempts: [{ operation: 'authorize', status: 'succeeded' }] });
    const days = (Date.parse(payment.authorizationExpiresAt ?? '') - Date.parse(payment.createdAt)) / 86_400_000;
    expect(days).toBeCloseTo(4, 2);
    const first = await operate('capture', payment.id, { key: 'capture-1' });
    expect(first).toMatchObject({
      status: 200, body: { status: 'captured', amountCaptured: 12_900, pendingOperation: null, authorizationExpiresAt: null, attempts: [{ operation: 'authorize' }, { operation: 'capture', status: 'succeeded' }] },
    });
    const again = await operate('capture', payment.id, { key: 'capture-1' });
    expect([again.text, again.headers['idempotent-replayed']]).toEqual([first.text, 'true']);
    expect(await operate('capture', payment.id)).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
    expect(await operate('void', payment.id)).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
    expect(service.sandbox.books.requests(shop.culqi.merchant).filter(({ path }) => path.endsWith('/capture'))).toHaveLength(1);
  });

  it('is released: the payment is voided, and Culqi holds nothing', async () => {
    const payment = await authorize();
    expect(await operate('void', payment.id, { body: {} })).toMatchObject({ status: 200, body: { status: 'voided', amountCaptured: 0, attempts: [{}, { operation: 'void', status: 'succeeded' }] } });
    expect(charge()).toMatchObject({ amount_refunded: 12_900, capture: false });
    for (const operation of ['void', 'capture'] as const) expect(await operate(operation, payment.id)).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
  });

  it('is taken or released by one of those who ask at once, as Culqi has it in its books (E9)', async () => {
    const winners = new Set<string>();
    // Both sides begin now and then, so that both win.
    for (let round = 0; round < 8; round++) {
      const payment = await authorize();
      const sides = (['capture', 'void'] as const).map((operation) => Array.from({ length: 6 }, () => async () => ({ operation, answer: await operate(operation, payment.id) })));
      const answers = await Promise.all((round % 2 === 0 ? sides : sides.toReversed()).flat().map((ask) => ask()));
      const done = answers.filter(({ answer: { status } }) => status === 200);
      expect(answers.filter(({ answer: { status } }) => status === 409)).toHaveLength(11);
      expect(done).toHaveLength(1);
      const after = await calm(payment.id);
      expect(after.attempts).toHaveLength(2);
      const won = done[0]?.operation;
      expect([after.status, after.amountCaptured]).toEqual(won === 'capture' ? ['captured', 12_900] : ['voided', 0]);
      expect(charge()).toMatchObject(won === 'capture' ? { id: payment.gatewayReference, capture: true, amount_refunded: 0, current_amount: 12_900 } : { id: payment.gatewayReference, capture: false, amount_refunded: 12_900, current_amount: 0 });
      expect(service.sandbox.books.refunds(shop.culqi.merchant).filter(({ charge_id: id }) => id === payment.gatewayReference)).toHaveLength(won === 'void' ? 1 : 0);
      winners.add(won ?? '');
    }
    expect([...winners].sort()).toEqual(['capture', 'void']);
  });

  it.each<[string, number, number, string]>([
    ['more than was authorised', 12_901, 422, 'capture_exceeds_authorized'], ['a part, which Culqi cannot', 12_899, 422, 'capability_missing'], ['nothing', 0, 400, 'validation_failed'], ['less than nothing', -1, 400, 'validation_failed'],
  ])('is not taken when %s is asked for, and nobody is called', async (_what, amount, status, code) => {
    const payment = await authorize();
    const before = service.sandbox.books.requests(shop.culqi.merchant).length;
    expect(await operate('capture', payment.id, { body: { amount } })).toMatchObject({ status, body: { code } });
    expect(service.sandbox.books.requests(shop.culqi.merchant)).toHaveLength(before);
    expect(await show(payment.id)).toMatchObject({ status: 'authorized', version: payment.version });
  });

  it('that Culqi has taken by itself meanwhile is shown as captured, and not given back by a void', async () => {
    const payment = await authorize();
    service.sandbox.panel.capture(payment.gatewayReference ?? '');
    expect(await operate('void', payment.id)).toMatchObject({ status: 200, body: { status: 'captured', amountCaptured: 12_900, attempts: [{}, { operation: 'void', status: 'failed' }] } });
    expect(charge()).toMatchObject({ amount_refunded: 0, capture: true });
  });
});

describe('reserved money that nobody asks for', () => {
  it('is asked about once a day and when its time is over, and what Culqi took by itself is found, with a ticket', async () => {
    const payment = await authorize();
    const [job] = await service.tables.query<{ hours: number }>('select timestampdiff(minute, now(3), run_at) / 60 as hours from jobs where payload like ?', [`%${payment.attempts[0]?.id ?? ''}%`]);
    expect(Number(job?.hours)).toBeGreaterThan(23.9);
    expect(Number(job?.hours)).toBeLessThanOrEqual(24);
    service.sandbox.panel.capture(payment.gatewayReference ?? '');
    const synced = await service.ask<Shown>({ method: 'POST', path: `/v1/payments/${payment.id}/sync`, key: shop.operator });
    expect(synced).toMatchObject({ status: 200, body: { status: 'captured', amountCaptured: 12_900, authorizationExpiresAt: null } });
    expect(await service.tables.query('select kind from tickets where payment_id = ?', [payment.id])).toEqual([{ kind: 'captured_unasked' }]);
    expect(await service.tables.query('select id from jobs where payload like ?', [`%${payment.attempts[0]?.id ?? ''}%`])).toEqual([]);
  });
});

describe('an operation whose reply is lost', () => {
  it.each(['reset_after_booking', 'hang_after_booking', 'error_after_booking'] as const)('by %s: a capture is pending until Culqi is asked, then captured, once', async (kind) => {
    const payment = await authorize();
    service.sandbox.faults.add({ route: 'POST /v2/charges/:id/capture', merchant: shop.culqi.merchant, kind, ...(kind === 'hang_after_booking' ? { delayMs: 5_000 } : {}) });
    const answer = await operate('capture', payment.id, { key: 'lost-capture' });
    expect(answer).toMatchObject({ status: 200, body: { status: 'authorized', pendingOperation: 'capture', attempts: [{}, { operation: 'capture', status: 'unknown' }] } });
    expect(await calm(payment.id)).toMatchObject({ status: 'captured', amountCaptured: 12_900, attempts: [{}, { status: 'succeeded' }] });
    expect((await operate('capture', payment.id, { key: 'lost-capture' })).text).toBe(answer.text);
    expect(service.sandbox.books.requests(shop.culqi.merchant).filter(({ path }) => path.endsWith('/capture'))).toHaveLength(1);
  }, 20_000);

  it('before it was booked: the capture fails once that is shown, and the money can be taken then', async () => {
    const payment = await authorize();
    service.sandbox.faults.add({ route: 'POST /v2/charges/:id/capture', merchant: shop.culqi.merchant, kind: 'reset_before_booking' });
    expect(await operate('capture', payment.id)).toMatchObject({ status: 200, body: { status: 'authorized', pendingOperation: 'capture' } });
    expect(await operate('void', payment.id)).toMatchObject({ status: 409, body: { code: 'operation_in_progress' } });
    expect(await calm(payment.id)).toMatchObject({ status: 'authorized', pendingOperation: null, attempts: [{}, { operation: 'capture', status: 'failed' }] });
    expect(await operate('capture', payment.id)).toMatchObject({ status: 200, body: { status: 'captured' } });
  }, 20_000);

  it('a void is pending until Culqi is asked, then voided, once; what is asked meanwhile is refused (A20)', async () => {
    const payment = await authorize();
    service.sandbox.faults.add({ route: 'POST /v2/refunds', merchant: shop.culqi.merchant, kind: 'reset_after_booking' });
    expect(await operate('void', payment.id)).toMatchObject({ status: 200, body: { status: 'authorized', pendingOperation: 'void' } });
    expect(await operate('capture', payment.id)).toMatchObject({ status: 409, body: { code: 'invalid_state' } }); // found voided meanwhile
    expect(await calm(payment.id)).toMatchObject({ status: 'voided' });
    expect(service.sandbox.books.requests(shop.culqi.merchant).filter(({ method, path }) => method === 'POST' && path.endsWith('/refunds'))).toHaveLength(1);
  }, 20_000);

  it('a void that Culqi never saw leaves the money reserved: nothing is captured before that is known, and all of it can be afterwards (A20)', async () => {
    const payment = await authorize();
    service.sandbox.faults.add({ route: 'POST /v2/refunds', merchant: shop.culqi.merchant, kind: 'reset_before_booking' });
    expect(await operate('void', payment.id)).toMatchObject({ status: 200, body: { status: 'authorized', pendingOperation: 'void', attempts: [{}, { operation: 'void', status: 'unknown' }] } });
    // The refused capture asks, too: nobody answers yet.
    service.sandbox.faults.add({ route: 'GET /v2/charges/:id', merchant: shop.culqi.merchant, kind: 'error_before_booking', status: 503, times: 1_000 });
    expect(await operate('capture', payment.id)).toMatchObject({ status: 409, body: { code: 'operation_in_progress' } });
    expect(await show(payment.id)).toMatchObject({ status: 'authorized', pendingOperation: 'void' });
    expect(charge()).toMatchObject({ capture: false, amount_refunded: 0 });

    service.sandbox.faults.clear();
    expect(await calm(payment.id)).toMatchObject({ status: 'authorized', pendingOperation: null, attempts: [{}, { operation: 'void', status: 'failed' }] });
    expect(await operate('capture', payment.id)).toMatchObject({ status: 200, body: { status: 'captured', amountCaptured: 12_900 } });
    expect(charge()).toMatchObject({ capture: true, amount_refunded: 0, current_amount: 12_900 });
    expect(service.sandbox.books.requests(shop.culqi.merchant).filter(({ path }) => path.endsWith('/capture'))).toHaveLength(1);
  }, 20_000);

  it('is looked up at once when it is asked for again', async () => {
    const payment = await authorize();
    service.sandbox.faults.add({ route: 'POST /v2/charges/:id/capture', merchant: shop.culqi.merchant, kind: 'reset_after_booking' });
    await operate('capture', payment.id);
    expect(await operate('capture', payment.id)).toMatchObject({ status: 409, body: { code: 'invalid_state' } }); // found captured meanwhile
    expect(await show(payment.id)).toMatchObject({ status: 'captured' });
  }, 20_000);

  it('that never reached Culqi leaves the money reserved, and the attempt failed', async () => {
    const payment = await authorize();
    await service.sandbox.close();
    expect(await operate('capture', payment.id)).toMatchObject({ status: 200, body: { status: 'authorized', pendingOperation: null, attempts: [{}, { operation: 'capture', status: 'failed', code: 'gateway_unavailable' }] } });
  });
});

describe('a payment that waits', () => {
  it('is withdrawn by a void without asking anybody, and cannot be confirmed any more', async () => {
    const waiting = await createPayment(service, shop.client, { ...paymentOf('tkn_test_0000000000000000'), confirm: false, reference: 'ORD-9', uniqueReference: true });
    expect(await operate('void', waiting.body.id)).toMatchObject({ status: 200, body: { status: 'voided', attempts: [] } });
    const confirmed = await service.ask<ProblemBody>({ method: 'POST', path: `/v1/payments/${waiting.body.id}/confirm`, key: shop.client, body: {}, headers: { 'idempotency-key': randomUUID() } });
    expect(confirmed).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
    expect((await createPayment(service, shop.client, { ...paymentOf('tkn_test_0000000000000000'), confirm: false, reference: 'ORD-9', uniqueReference: true })).status).toBe(201);
  });

  it('takes no members with a void', async () => {
    const waiting = await createPayment(service, shop.client, { ...paymentOf('tkn_test_0000000000000000'), confirm: false });
    expect(await operate('void', waiting.body.id, { body: { amount: 1 } })).toMatchObject({ status: 400, body: { errors: [{ field: 'amount' }] } });
  });
});
