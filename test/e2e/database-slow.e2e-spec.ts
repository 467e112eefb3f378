import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { startDatabaseProxy, type DatabaseProxy } from '../support/database-proxy.js';
import { approvedCharges, createPayment, eventually, mintToken, paidAtCulqi, paymentOf, readPayment, settled, type PaymentBody } from '../support/payments.js';
import { startProcess, startWorker, type Program, type ServiceProcess } from '../support/process.js';
import { newMerchant, type Answer, type Ask, type Merchant } from '../support/service.js';
import { testEnvironment } from '../support/settings.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const DEADLINE_MS = 2_000;
/** "Answered at latest 2 s after" its deadline (design/api.md). */
const ANSWERED_WITHIN_MS = DEADLINE_MS + 2_000;

let tables: TestDatabase;
let sandbox: CulqiSandbox;
let proxy: DatabaseProxy;
let service: ServiceProcess;
let worker: Program;
let shop: Merchant;
beforeAll(async () => {
  tables = await createTestDatabase();
  sandbox = await startCulqiSandbox({});
  proxy = await startDatabaseProxy(tables.url);
  const environment = testEnvironment(proxy.url, sandbox.url, { REQUEST_DEADLINE_MS: String(DEADLINE_MS), GATEWAY_TIMEOUT_MS: '1000', RESOLVE_SCHEDULE: '200ms,500ms,1s,2s,3s,5s' });
  service = await startProcess({ ...environment, WORKER: 'off' });
  worker = startWorker(environment);
}, 60_000);
afterAll(async () => {
  await Promise.all([service.kill('SIGTERM'), worker.kill('SIGTERM')]);
  await proxy.close();
  await sandbox.close();
  await tables.drop();
});
beforeEach(async () => { shop = await newMerchant(service.ask); });
afterEach(() => {
  proxy.delay(0);
  proxy.thaw();
});

/** The answer, and how long it took. */
async function timed(ask: Ask): Promise<{ answer: Answer<PaymentBody>; tookMs: number }> {
  const beganMs = performance.now();
  const answer = await service.ask<PaymentBody>(ask);
  return { answer, tookMs: performance.now() - beganMs };
}

/** Something of each kind, as is asked all the time. */
async function asks(): Promise<{ paid: PaymentBody; create: Ask; others: Ask[] }> {
  const paid = await paidAtCulqi({ ...service, sandbox }, shop);
  const post = (path: string, body: unknown): Ask => ({ method: 'POST', path, key: shop.client, body, headers: { 'idempotency-key': randomUUID() } });
  return {
    paid, create: post('/v1/payments', paymentOf(await mintToken(sandbox.url, shop))),
    others: [
      { path: `/v1/payments/${paid.id}`, key: shop.client }, { path: '/v1/payments?limit=5', key: shop.client }, post(`/v1/payments/${paid.id}/refunds`, { amount: 100 }),
      { method: 'POST', path: `/webhooks/culqi/${shop.tenantId}`, body: { object: 'event', id: `evt_test_${randomUUID().slice(0, 8)}`, type: 'charge.creation.succeeded', data: { id: paid.gatewayReference } } },
    ],
  };
}

/** Nobody restarts anything: the same requests are answered, and there is one of everything. */
async function expectAllIsWell({ paid, create, others }: Awaited<ReturnType<typeof asks>>, answers: Answer<PaymentBody>[]): Promise<void> {
  const ends = [];
  for (const ask of [create, ...others]) ends.push(await eventually(() => service.ask<PaymentBody>(ask), ({ status }) => ![409, 503].includes(status), 20_000));
  expect(ends.map(({ status }) => status)).toEqual([201, 200, 200, 201, 200]);
  const payment = await settled(service, shop.client, ends[0]?.body.id ?? '');
  // A call whose time was over when it came to its turn was not made.
  expect(['captured', 'failed']).toContain(payment.status);
  expect(approvedCharges({ sandbox }, shop)).toHaveLength(payment.status === 'captured' ? 2 : 1);
  expect(await eventually(() => readPayment(service, shop.client, paid.id), ({ amountRefundPending }) => amountRefundPending === 0)).toMatchObject({ amountRefunded: 100 });
  expect(sandbox.books.refunds(shop.culqi.merchant)).toMatchObject([{ amount: 100 }]);
  for (const [at, { status, text }] of answers.entries()) if (status === 201) expect(ends[at]?.text).toBe(text);
  expect(await createPayment(service, shop.client, paymentOf(await mintToken(sandbox.url, shop)))).toMatchObject({ status: 201, body: { status: 'captured' } });
}

describe('a database that takes half a second for each statement (D7)', () => {
  it('is answered for, or 503 is, in time, and no payment is called failed that was made', async () => {
    const asked = await asks();
    proxy.delay(500);
    const results = await Promise.all([asked.create, ...asked.others].map(timed));
    for (const { answer, tookMs } of results) {
      expect(tookMs).toBeLessThan(ANSWERED_WITHIN_MS);
      expect([200, 201, 503]).toContain(answer.status);
      if (answer.status === 503) expect(answer.headers['retry-after']).toBeDefined();
    }
    proxy.delay(0);
    await expectAllIsWell(asked, results.map(({ answer }) => answer));
  }, 60_000);

  it('does not take many who ask at once down with it', async () => {
    const { paid } = await asks();
    proxy.delay(500);
    const reads = await Promise.all(Array.from({ length: 100 }, () => timed({ path: `/v1/payments/${paid.id}`, key: shop.client })));
    expect(Math.max(...reads.map(({ tookMs }) => tookMs))).toBeLessThan(ANSWERED_WITHIN_MS);
    expect(reads.filter(({ answer: { status } }) => status !== 200 && status !== 503)).toEqual([]);
    expect(await service.ask({ path: '/health/live' })).toMatchObject({ status: 200 });
    proxy.delay(0);
    expect((await timed({ path: `/v1/payments/${paid.id}`, key: shop.client })).answer.status).toBe(200);
  }, 60_000);
});

describe('a database that takes everything and answers nothing (D7)', () => {
  it('is 503 to everybody in time, and all is well when it answers again', async () => {
    const asked = await asks();
    const before = sandbox.books.requests(shop.culqi.merchant).length;
    proxy.freeze();
    const results = await Promise.all([asked.create, ...asked.others].map(timed));
    expect(results.map(({ answer: { status } }) => status)).toEqual([503, 503, 503, 503, 503]);
    for (const { answer, tookMs } of results) {
      expect(tookMs).toBeLessThan(ANSWERED_WITHIN_MS);
      expect(answer.headers['retry-after']).toBeDefined();
    }
    expect(sandbox.books.requests(shop.culqi.merchant)).toHaveLength(before);
    expect((await timed({ path: '/health/ready' })).answer.status).toBe(503);
    expect(await service.ask({ path: '/health/live' })).toMatchObject({ status: 200 });
    proxy.thaw();
    await expectAllIsWell(asked, []);
  }, 60_000);

  it('is 503 also to those who come when every connection hangs, and all is well afterwards', async () => {
    const asked = await asks();
    proxy.freeze();
    const reads = Promise.all(Array.from({ length: 60 }, () => timed({ path: `/v1/payments/${asked.paid.id}`, key: shop.client })));
    await sleep(500);
    const late = await timed(asked.create);
    expect([late.answer.status, late.tookMs < ANSWERED_WITHIN_MS]).toEqual([503, true]);
    for (const { answer, tookMs } of await reads) expect([answer.status, tookMs < ANSWERED_WITHIN_MS]).toEqual([503, true]);
    proxy.thaw();
    await expectAllIsWell(asked, []);
  }, 60_000);

  it('after the PSP has booked is 503, and the payment is found and answered when it answers again', async () => {
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'delayed', delayMs: 300, merchant: shop.culqi.merchant });
    const ask: Ask = { method: 'POST', path: '/v1/payments', key: shop.client, body: paymentOf(await mintToken(sandbox.url, shop)), headers: { 'idempotency-key': randomUUID() } };
    const making = timed(ask);
    await eventually(() => approvedCharges({ sandbox }, shop), ({ length }) => length === 1);
    proxy.freeze();
    const { answer, tookMs } = await making;
    expect([answer.status, tookMs < ANSWERED_WITHIN_MS]).toEqual([503, true]);
    proxy.thaw();
    const end = await eventually(() => service.ask<PaymentBody>(ask), ({ status }) => ![409, 503].includes(status), 20_000);
    expect(end.status).toBe(201);
    expect(await settled(service, shop.client, end.body.id)).toMatchObject({ status: 'captured' });
    expect(approvedCharges({ sandbox }, shop)).toHaveLength(1);
  }, 60_000);
});
