import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPayment, eventually, mintPixelpayToken, mintToken, paymentOf, pixelpayPaymentOf, readPayment, type PaymentBody } from '../support/payments.js';
import { fetcher } from '../support/process.js';
import { newMerchant, newMerchantOfBoth, startService, type Answer, type Ask, type Merchant, type Service } from '../support/service.js';

const GATEWAY_TIMEOUT_MS = 6_000;
const POOL = 2;

let service: Service;
let ask: Service['ask'];
let other: Merchant;
let ana: Merchant;
beforeAll(async () => {
  service = await startService({ DATABASE_POOL: String(POOL), GATEWAY_TIMEOUT_MS: String(GATEWAY_TIMEOUT_MS), REQUEST_DEADLINE_MS: '12000', IDEMPOTENCY_LEASE_MS: '20000', RESOLVE_SCHEDULE: '1h', WORKER: 'off' });
  await service.app.listen(0, '127.0.0.1');
  ask = fetcher(await service.app.getUrl());
  other = await newMerchantOfBoth(ask);
});
afterAll(() => service.close());
beforeEach(async () => { ana = await newMerchant(ask); });

const post = (path: string, body?: unknown, key = ana.client): Ask => ({ method: 'POST', path, key, ...(body === undefined ? {} : { body }), headers: { 'idempotency-key': randomUUID() } });
/** So many at a time that none waits for a connection for long. */
async function many<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  while (all.length < count) all.push(...await Promise.all(Array.from({ length: Math.min(10, count - all.length) }, make)));
  return all;
}
const paid = async (changes: Record<string, unknown> = {}): Promise<PaymentBody> => (await createPayment({ ask }, ana.client, paymentOf(await mintToken(service.sandbox.url, ana), changes))).body;

/** What hangs: the route at Culqi, how many ask, what they ask, and what is answered when Culqi's time is over. */
type Hanging = { route: string; count: number; prepare: () => Promise<Ask>; /** Of those that ask together Culqi is asked once. */ gathered?: true; ends: (answer: Answer<PaymentBody>) => unknown; end: unknown };
const HANGING: Record<string, Hanging> = {
  payments: {
    route: 'POST /v2/charges', count: 50, prepare: async () => post('/v1/payments', paymentOf(await mintToken(service.sandbox.url, ana))),
    ends: ({ status, body }) => [status, body.status, body.processingReason], end: [201, 'processing', 'outcome_unknown'],
  },
  captures: {
    route: 'POST /v2/charges/:id/capture', count: 20, prepare: async () => post(`/v1/payments/${(await paid({ captureMethod: 'manual' })).id}/capture`),
    ends: ({ status, body }) => [status, body.status], end: [200, 'authorized'],
  },
  refunds: {
    route: 'POST /v2/refunds', count: 20, prepare: async () => post(`/v1/payments/${(await paid()).id}/refunds`, { amount: 100 }),
    ends: ({ status, body }) => [status, body.status], end: [201, 'submitted'],
  },
  'look-ups': {
    route: 'GET /v2/charges', count: 20, gathered: true,
    prepare: async () => {
      service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking', merchant: ana.culqi.merchant });
      return { method: 'POST', path: `/v1/payments/${(await paid()).id}/sync`, key: ana.operator };
    },
    ends: ({ status }) => status, end: 503,
  },
};

/** Requests of the merchant that Culqi has, and does not answer. */
const unanswered = (): number => service.sandbox.books.requests(ana.culqi.merchant).filter(({ status, fault }) => status === null && fault === 'hang_before_booking').length;

describe('while a PSP is silent (D8)', () => {
  it.each(Object.entries(HANGING))('%s hold no connection to the database, and others are served at once', async (_what, { route, count, prepare, gathered, ends, end }) => {
    const mine = await paid();
    const asks = await many(count, prepare);
    const token = await mintPixelpayToken(service.pixelpay.url, other);
    service.sandbox.faults.add({ route, kind: 'hang_before_booking', times: count, delayMs: 60_000, merchant: ana.culqi.merchant });
    const beganMs = performance.now();
    const hanging = Promise.all(asks.map((one) => ask<PaymentBody>(one)));
    expect(await eventually(unanswered, (hung) => (gathered === true ? hung > 0 : hung === count), 4_000)).toBeGreaterThanOrEqual(gathered === true ? 1 : count);
    const pool = await eventually(() => service.database.poolState(), ({ free, all }) => free === all, 500);
    expect(pool).toEqual({ all: POOL, free: POOL, queued: 0 });

    const askedMs = performance.now();
    expect(await readPayment({ ask }, ana.client, mine.id)).toMatchObject({ status: 'captured' });
    expect(performance.now() - askedMs).toBeLessThan(1_000);
    const paidMs = performance.now();
    expect((await createPayment({ ask }, other.client, pixelpayPaymentOf(token))).status).toBe(201);
    expect(performance.now() - paidMs).toBeLessThan(1_000);
    expect(service.pixelpay.books.payments(other.pixelpay.merchant).length).toBeGreaterThan(0);
    // All that while Culqi was silent.
    expect(performance.now() - beganMs).toBeLessThan(GATEWAY_TIMEOUT_MS);
    expect(unanswered()).toBeGreaterThan(0);
    expect((await hanging).map(ends)).toEqual(asks.map(() => end));
  }, 60_000);
});
