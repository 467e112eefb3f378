import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { wrongClock, type WrongClock } from '../support/clock.js';
import { approvedCharges, createPayment, eventually, mintToken, paymentOf, readPayment, refundPayment, settled } from '../support/payments.js';
import { startProcess, startWorker, type Program, type ServiceProcess } from '../support/process.js';
import { newMerchant, type Merchant } from '../support/service.js';
import { testEnvironment } from '../support/settings.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const MINUTE_MS = 60_000;
/** Of two instances and three workers. */
const SHIFTS_MS = [10, -10, -10, 0, 10].map((minutes) => minutes * MINUTE_MS);
const ABSENCE_AFTER_MS = 2_000;
const TIMES = { ABSENCE_AFTER_MS: String(ABSENCE_AFTER_MS), RESOLVE_SCHEDULE: '200ms,300ms,500ms,1s,1s,1s,2s,2s' };

let tables: TestDatabase;
let sandbox: CulqiSandbox;
let folder: string;
let clocks: WrongClock[];
let instances: ServiceProcess[];
let workers: Program[];
let shop: Merchant;
beforeAll(async () => {
  tables = await createTestDatabase();
  sandbox = await startCulqiSandbox({});
  folder = mkdtempSync(join(tmpdir(), 'smartpay-clocks-'));
  clocks = SHIFTS_MS.map((shiftMs, at) => wrongClock(folder, String(at), shiftMs));
  const environments = clocks.map(({ environment }) => ({ ...testEnvironment(tables.url, sandbox.url, TIMES), ...environment }));
  instances = await Promise.all(environments.slice(0, 2).map((environment) => startProcess({ ...environment, WORKER: 'off' })));
  // Three at once: what recurs is there once all the same (C8).
  workers = environments.slice(2).map((environment) => startWorker(environment));
}, 60_000);
afterAll(async () => {
  await Promise.all([...instances, ...workers].map((program) => program.kill('SIGTERM')));
  await sandbox.close();
  await tables.drop();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  for (const [at, clock] of clocks.entries()) clock.set(SHIFTS_MS[at] ?? 0);
  shop = await newMerchant((instances[0] as ServiceProcess).ask);
});

/** Each clock jumps by twenty minutes, to the other side; the right one by ten. */
const jump = (): void => { for (const [at, clock] of clocks.entries()) clock.set(SHIFTS_MS[at] === 0 ? -10 * MINUTE_MS : -(SHIFTS_MS[at] ?? 0)); };
const pair = (at: number): [ServiceProcess, ServiceProcess] => [instances[at] as ServiceProcess, instances[1 - at] as ServiceProcess];
const listings = (): URLSearchParams[] => sandbox.books.requests(shop.culqi.merchant).filter(({ method, path }) => method === 'GET' && path === '/v2/charges').map(({ query }) => new URLSearchParams(query));
/** The payment's first attempt, in milliseconds from now by the database's clock. */
async function attemptOf(paymentId: string): Promise<{ sentMs: number; deadlineMs: number }> {
  const [row] = await tables.query<{ sent: string; deadline: string }>(
    'select timestampdiff(microsecond, now(3), sent_at) / 1000 as sent, timestampdiff(microsecond, now(3), deadline_at) / 1000 as deadline from payment_attempts where payment_id = ?', [paymentId]);
  return { sentMs: Number(row?.sent), deadlineMs: Number(row?.deadline) };
}

describe('instances and workers whose clocks differ by twenty minutes (C9)', () => {
  it.each([0, 1])('take a payment once, also when its reply is lost (instance %d)', async (at) => {
    const [instance, other] = pair(at);
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking', merchant: shop.culqi.merchant });
    const [key, body] = [randomUUID(), paymentOf(await mintToken(sandbox.url, shop))];
    const lost = await createPayment(instance, shop.client, body, key);
    expect(lost.body.status).toBe('processing');
    expect(await settled(other, shop.client, lost.body.id)).toMatchObject({ status: 'captured' });
    expect((await createPayment(other, shop.client, body, key)).text).toBe(lost.text);
    expect((await refundPayment(other, shop.client, lost.body.id, { amount: 100 })).body).toMatchObject({ status: 'succeeded' });
    expect(approvedCharges({ sandbox }, shop)).toHaveLength(1);
  });

  it.each([0, 1])('do not let a payment that waits expire early or late (instance %d)', async (at) => {
    const [instance, other] = pair(at);
    const waiting = await createPayment(instance, shop.client, { amount: 5_000, currency: 'PEN', confirm: false, customer: { email: 'ana@ejemplo.pe' } });
    jump();
    await sleep(500);
    expect((await readPayment(other, shop.client, waiting.body.id)).status).toBe('created');
    const [job] = await tables.query<{ hours: number }>("select timestampdiff(second, now(3), run_at) / 3600 as hours from jobs where kind = 'payments.expire' and payload like ?", [`%${waiting.body.id}%`]);
    expect(Number(job?.hours)).toBeCloseTo(24, 2);
    await tables.query("update jobs set run_at = now(3) where kind = 'payments.expire' and payload like ?", [`%${waiting.body.id}%`]);
    expect(await eventually(() => readPayment(other, shop.client, waiting.body.id), ({ status }) => status !== 'created')).toMatchObject({ status: 'expired' });
  });

  it('have one job of each kind that recurs (C8)', async () => {
    const recurring = await tables.query<{ n: number }>('select unique_key, count(*) as n from jobs where unique_key in (?, ?) group by unique_key', ['payments.look_over', 'card_data.scan']);
    expect(recurring.map(({ n }) => Number(n))).toEqual([1, 1]);
  });

  it('look an account over once, all three together (C8)', async () => {
    await tables.query("update jobs set run_at = now(3) where unique_key = 'payments.look_over' and lease_token is null");
    const jobs = () => tables.query("select id from jobs where kind = 'payments.look_over_account'");
    expect((await eventually(jobs, ({ length }) => length > 0)).length).toBeGreaterThan(0);
    // Not of one that is in hand: a second claim of it would be our doing.
    await tables.query("update jobs set run_at = now(3) where kind = 'payments.look_over_account' and lease_token is null");
    expect(await eventually(jobs, ({ length }) => length === 0)).toEqual([]);
    const looked = listings().filter((query) => !query.has('currency_code') && !query.has('dispute')).map((query) => [Number(query.get('creation_date_from')), Number(query.get('creation_date_to'))]);
    // Three days, six hours at a time, each once and without a gap: two that did it would have listed twice as much.
    expect(looked).toHaveLength(12);
    expect(looked.map(([from]) => from).slice(1)).toEqual(looked.map(([, to]) => to).slice(0, -1));
  });
});

describe('clocks that jump by twenty minutes while (C9)', () => {
  it.each([0, 1])('the reply of a payment is lost: it is found, once (instance %d)', async (at) => {
    const [instance, other] = pair(at);
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking', merchant: shop.culqi.merchant });
    // The first two look-ups get no answer: the payment is still unknown when the clocks jump.
    sandbox.faults.add({ route: 'GET /v2/charges', kind: 'error_before_booking', times: 2, merchant: shop.culqi.merchant });
    const { body } = await createPayment(instance, shop.client, paymentOf(await mintToken(sandbox.url, shop)));
    expect(body.status).toBe('processing');
    jump();
    expect(await settled(other, shop.client, body.id)).toMatchObject({ status: 'captured', attempts: [{ status: 'succeeded' }] });
    expect(approvedCharges({ sandbox }, shop)).toHaveLength(1);
  });

  it.each([0, 1])('a payment never arrived: it is failed neither sooner nor later than is proven (instance %d)', async (at) => {
    const [instance, other] = pair(at);
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_before_booking', merchant: shop.culqi.merchant });
    const { body } = await createPayment(instance, shop.client, paymentOf(await mintToken(sandbox.url, shop)));
    const { sentMs, deadlineMs } = await attemptOf(body.id);
    expect(deadlineMs - sentMs).toBeCloseTo(1_500, -2);
    expect(sentMs).toBeGreaterThan(-1_500);
    expect(sentMs).toBeLessThanOrEqual(0);
    jump();
    const provenInMs = (await attemptOf(body.id)).deadlineMs + ABSENCE_AFTER_MS;
    const jumpedMs = performance.now();
    expect(await settled(other, shop.client, body.id)).toMatchObject({ status: 'failed', failure: { code: 'gateway_unavailable' } });
    expect(performance.now() - jumpedMs).toBeGreaterThan(provenInMs);
    expect(performance.now() - jumpedMs).toBeLessThan(provenInMs + 8_000);
  });

  it.each([0, 1])('a PSP is silent: its key and its job are held as long as their leases, and no longer (instance %d)', async (at) => {
    const [instance, other] = pair(at);
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'delayed', delayMs: 1_200, merchant: shop.culqi.merchant });
    const [key, body] = [randomUUID(), paymentOf(await mintToken(sandbox.url, shop))];
    const making = createPayment(instance, shop.client, body, key);
    await eventually(() => approvedCharges({ sandbox }, shop), ({ length }) => length === 1);
    jump();
    const early = await createPayment(other, shop.client, body, key);
    expect(early).toMatchObject({ status: 409, body: { code: 'idempotency_key_in_use' } });
    expect(Number(early.headers['retry-after'])).toBeLessThanOrEqual(3);
    const made = await making;
    expect(made).toMatchObject({ status: 201, body: { status: 'captured' } });
    expect((await createPayment(other, shop.client, body, key)).text).toBe(made.text);
    expect(listings()).toEqual([]);
  });

  it('a payment is pending: a lease that ends is taken over by the database\'s clock', async () => {
    const [instance, other] = pair(0);
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'hang_after_booking', delayMs: 10_000, merchant: shop.culqi.merchant });
    const [key, body] = [randomUUID(), paymentOf(await mintToken(sandbox.url, shop))];
    const making = createPayment(instance, shop.client, body, key).catch(() => null);
    await eventually(() => approvedCharges({ sandbox }, shop), ({ length }) => length === 1);
    instance.signal('SIGSTOP');
    try {
      jump();
      const answer = await eventually(() => createPayment(other, shop.client, body, key), ({ status }) => status !== 409, 10_000);
      expect(answer).toMatchObject({ status: 201, body: { status: 'captured' } });
      instance.signal('SIGCONT');
      expect((await making)?.text).toBe(answer.text);
      expect(await readPayment(other, shop.client, answer.body.id)).toMatchObject({ status: 'captured' });
    } finally {
      instance.signal('SIGCONT');
    }
    expect(approvedCharges({ sandbox }, shop)).toHaveLength(1);
  });
});
