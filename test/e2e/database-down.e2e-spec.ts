import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startBehindProxy, type BehindProxy } from '../support/behind-proxy.js';
import { createPayment, eventually, mintToken, paidAtCulqi, paymentOf, readPayment, settled, type PaymentBody } from '../support/payments.js';
import { newMerchant, type Answer, type Ask, type Merchant } from '../support/service.js';

let behind: BehindProxy;
let sandbox: BehindProxy['sandbox'];
let proxy: BehindProxy['proxy'];
let instance: BehindProxy['instance'];
let shop: Merchant;
beforeAll(async () => {
  behind = await startBehindProxy();
  ({ sandbox, proxy, instance } = behind);
});
afterAll(() => behind.close());
beforeEach(async () => { shop = await newMerchant(instance.ask); });

const asked = (): number => sandbox.books.requests(shop.culqi.merchant).length;
const post = (path: string, body?: unknown): Ask => ({ method: 'POST', path, key: shop.client, ...(body === undefined ? {} : { body }), headers: { 'idempotency-key': randomUUID() } });

/** Asks until the answer is neither 503 nor 409, which a key shows whose owner is gone. */
function insisted<Body>(ask: Ask): Promise<Answer<Body>> {
  return eventually(() => instance.ask<Body>(ask), ({ status }) => ![409, 503].includes(status));
}

/** What is asked, and what comes of it in the end. */
type Operation = { prepare: () => Promise<Ask>; status: number; expectEnd: (answer: Answer<PaymentBody>) => void | Promise<void> };
const OPERATIONS: Record<string, Operation> = {
  'a payment': {
    prepare: async () => post('/v1/payments', paymentOf(await mintToken(sandbox.url, shop))), status: 201,
    expectEnd: ({ body }) => {
      expect(body.status).toBe('captured');
      expect(sandbox.books.charges(shop.culqi.merchant)).toHaveLength(1);
    },
  },
  'a read': {
    prepare: async () => ({ path: `/v1/payments/${(await paidAtCulqi({ ...instance, sandbox }, shop)).id}`, key: shop.client }), status: 200,
    expectEnd: ({ body }) => { expect(body.status).toBe('captured'); },
  },
  'a capture': {
    prepare: async () => post(`/v1/payments/${(await createPayment(instance, shop.client, paymentOf(await mintToken(sandbox.url, shop), { captureMethod: 'manual' }))).body.id}/capture`), status: 200,
    expectEnd: ({ body }) => {
      expect(body.status).toBe('captured');
      expect(sandbox.books.charges(shop.culqi.merchant)).toMatchObject([{ capture: true }]);
    },
  },
  'a refund': {
    prepare: async () => post(`/v1/payments/${(await paidAtCulqi({ ...instance, sandbox }, shop)).id}/refunds`, { amount: 2_900 }), status: 201,
    expectEnd: ({ body }) => {
      expect(body.status).toBe('succeeded');
      expect(sandbox.books.refunds(shop.culqi.merchant)).toMatchObject([{ amount: 2_900 }]);
    },
  },
  'a webhook': {
    prepare: async () => {
      const { gatewayReference } = await paidAtCulqi({ ...instance, sandbox }, shop);
      sandbox.panel.refund(gatewayReference ?? '', 1_100);
      return { method: 'POST', path: `/webhooks/culqi/${shop.tenantId}`, body: { object: 'event', id: `evt_test_${randomUUID().slice(0, 8)}`, type: 'refund.creation.succeeded', data: { id: 'ref_test_x', chargeId: gatewayReference } } };
    },
    status: 200,
    expectEnd: async () => {
      const [payment] = await behind.tables.query<{ id: string }>('select id from payments where tenant_id = ?', [shop.tenantId]);
      expect(await eventually(() => readPayment(instance, shop.client, payment?.id ?? ''), ({ refunds }) => refunds.length > 0)).toMatchObject({ amountRefunded: 1_100, refunds: [{ origin: 'gateway' }] });
    },
  },
};

describe('while the database is down (D5)', () => {
  it('the service says so, and is there again by itself', async () => {
    expect(await instance.ask({ path: '/health/ready' })).toMatchObject({ status: 200, body: { status: 'ok' } });
    proxy.setDown(true);
    expect(await instance.ask({ path: '/health/ready' })).toMatchObject({ status: 503, body: { status: 'unavailable' } });
    expect(await instance.ask({ path: '/health/live' })).toMatchObject({ status: 200 });
    proxy.setDown(false);
    expect(await instance.ask({ path: '/health/ready' })).toMatchObject({ status: 200 });
  });

  it.each(Object.entries(OPERATIONS))('%s is refused within a second, no PSP is called for it, and it is done afterwards without a restart', async (_what, { prepare, status, expectEnd }) => {
    const ask = await prepare();
    const before = asked();
    proxy.setDown(true);
    try {
      const startedMs = Date.now();
      const refused = await instance.ask(ask);
      expect(Date.now() - startedMs).toBeLessThan(1_000);
      expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' }, body: { code: 'unavailable' } });
      expect(asked()).toBe(before);
    } finally {
      proxy.setDown(false);
    }
    const answer = await instance.ask<PaymentBody>(ask);
    expect(answer.status).toBe(status);
    await expectEnd(answer);
  });

  it('what the PSP booked meanwhile is found out afterwards, and answered', async () => {
    const ask = post('/v1/payments', paymentOf(await mintToken(sandbox.url, shop)));
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'delayed', delayMs: 300, merchant: shop.culqi.merchant });
    const making = instance.ask(ask);
    await eventually(() => sandbox.books.charges(shop.culqi.merchant), (charges) => charges.length > 0);
    proxy.setDown(true);
    expect(await making).toMatchObject({ status: 503 });
    proxy.setDown(false);
    expect(await insisted(ask)).toMatchObject({ status: 201, body: { status: 'captured' } });
    expect(sandbox.books.charges(shop.culqi.merchant)).toHaveLength(1);
  });

  it('jobs wait: nothing is asked of PSPs, and they are done afterwards without a restart', async () => {
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking', merchant: shop.culqi.merchant });
    const { body: lost } = await createPayment(instance, shop.client, paymentOf(await mintToken(sandbox.url, shop)));
    proxy.setDown(true);
    const before = asked();
    expect(lost).toMatchObject({ status: 'processing', processingReason: 'outcome_unknown' });
    // Longer than until its first look-ups are due.
    await sleep(1_000);
    expect(asked()).toBe(before);
    proxy.setDown(false);
    expect(await settled(instance, shop.client, lost.id)).toMatchObject({ status: 'captured', amountCaptured: 12_900 });
    expect(sandbox.books.charges(shop.culqi.merchant)).toHaveLength(1);
  });

  it('a job whose PSP answers just then is done again afterwards', async () => {
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking', merchant: shop.culqi.merchant });
    sandbox.faults.add({ route: 'GET /v2/charges', kind: 'delayed', delayMs: 500, merchant: shop.culqi.merchant });
    const { body: lost } = await createPayment(instance, shop.client, paymentOf(await mintToken(sandbox.url, shop)));
    await eventually(asked, (count) => count === 3);
    proxy.setDown(true);
    await eventually(() => sandbox.books.requests(shop.culqi.merchant).at(-1), (request) => request?.path === '/v2/charges' && request.method === 'GET' && request.status === 200);
    await sleep(300);
    proxy.setDown(false);
    expect(await settled(instance, shop.client, lost.id)).toMatchObject({ status: 'captured', amountCaptured: 12_900 });
    expect(sandbox.books.charges(shop.culqi.merchant)).toHaveLength(1);
  });
});
