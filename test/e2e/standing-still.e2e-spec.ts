import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { approvedCharges, createPayment, eventually, mintToken, paidAtCulqi, paymentOf, readPayment, refundPayment, settled } from '../support/payments.js';
import { startProcess, startWorker, type Program, type ServiceProcess } from '../support/process.js';
import { newMerchant, type Merchant } from '../support/service.js';
import { testEnvironment } from '../support/settings.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** A process that does nothing else for two seconds when it is told to, as one with a loop of its own would. */
const BLOCKABLE = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent("process.on('SIGUSR2',()=>{for(const end=performance.now()+2000;performance.now()<end;);});")}` };
const STILL_MS = 2_000;
/** Of a key and of a job; longer than a call may take. */
const LEASE_MS = 2_500;

let tables: TestDatabase;
let sandbox: CulqiSandbox;
let environment: Record<string, string>;
/** The one that stands still, and the one that does not. */
let instance: ServiceProcess;
let other: ServiceProcess;
const workers: Program[] = [];
let shop: Merchant;
beforeAll(async () => {
  tables = await createTestDatabase();
  sandbox = await startCulqiSandbox({});
  environment = testEnvironment(tables.url, sandbox.url, { IDEMPOTENCY_LEASE_MS: String(LEASE_MS), JOB_LEASE_MS: String(LEASE_MS), RESOLVE_SCHEDULE: '200ms,300ms,500ms,1s,2s,2s,2s' });
  [instance, other] = await Promise.all([startProcess({ ...environment, ...BLOCKABLE, WORKER: 'off' }), startProcess({ ...environment, WORKER: 'off' })]);
}, 60_000);
afterAll(async () => {
  await Promise.all([instance.kill(), other.kill('SIGTERM')]);
  await sandbox.close();
  await tables.drop();
});
beforeEach(async () => { shop = await newMerchant(other.ask); });
afterEach(async () => {
  instance.signal('SIGCONT');
  await Promise.all(workers.splice(0).map((worker) => worker.kill()));
});

const startOne = (): Program => {
  const worker = startWorker(environment);
  workers.push(worker);
  return worker;
};
const charges = () => approvedCharges({ sandbox }, shop);
const refunds = () => sandbox.books.refunds(shop.culqi.merchant);
const posted = (path: string): number => sandbox.books.requests(shop.culqi.merchant).filter((request) => request.method === 'POST' && request.path.endsWith(path)).length;

describe('an instance that stands still with the PSP\'s answer on its way (C7)', () => {
  it.each([['comes while it stands', 'delayed', 700], ['never comes', 'hang_after_booking', 60_000]] as const)('which %s: another finishes, and it answers what was stored', async (_when, kind, delayMs) => {
    sandbox.faults.add({ route: 'POST /v2/charges', kind, delayMs, merchant: shop.culqi.merchant });
    const [key, body] = [randomUUID(), paymentOf(await mintToken(sandbox.url, shop))];
    const late = createPayment(instance, shop.client, body, key);
    await eventually(charges, ({ length }) => length === 1);
    instance.signal('SIGSTOP');
    const stored = await eventually(() => createPayment(other, shop.client, body, key), ({ status }) => status !== 409);
    expect(stored).toMatchObject({ status: 201, body: { status: 'captured' } });
    const shown = await readPayment(other, shop.client, stored.body.id);
    instance.signal('SIGCONT');
    const { status, text, headers } = await late;
    expect([status, text, headers['idempotent-replayed']]).toEqual([201, stored.text, 'true']);
    expect((await createPayment(instance, shop.client, body, key)).text).toBe(stored.text);
    expect(await readPayment(other, shop.client, stored.body.id)).toMatchObject({ status: 'captured', version: shown.version });
    expect(charges()).toHaveLength(1);
    expect(posted('/charges')).toBe(1);
    expect(await tables.query('select kind from tickets where payment_id = ?', [stored.body.id])).toEqual([]);
  }, 60_000);
});

describe('a worker that stands still for longer than its lease (C7)', () => {
  it.each([['has booked', 'delayed'], ['has not booked', 'hang_before_booking']] as const)('while it sends a refund that the PSP %s: another finds out, and the refund is done once', async (_what, kind) => {
    const { id } = await paidAtCulqi({ ...other, sandbox }, shop);
    sandbox.faults.add({ route: 'POST /v2/refunds', kind: 'rate_limited', merchant: shop.culqi.merchant });
    sandbox.faults.add({ route: 'POST /v2/refunds', kind, delayMs: 1_000, merchant: shop.culqi.merchant });
    expect((await refundPayment(other, shop.client, id, { amount: 2_900 })).body).toMatchObject({ status: 'submitted' });
    const still = startOne();
    expect(await eventually(() => posted('/refunds'), (count) => count === 2)).toBe(2);
    still.signal('SIGSTOP');
    await sleep(LEASE_MS + 500);
    startOne();
    const done = await eventually(() => readPayment(other, shop.client, id), ({ amountRefunded }) => amountRefunded > 0);
    expect(done).toMatchObject({ amountRefunded: 2_900, amountRefundPending: 0, refunds: [{ status: 'succeeded' }] });
    still.signal('SIGCONT');
    // It writes what it heard late, or finds that it may not; what it claims now proves that it goes on.
    await still.kill('SIGTERM');
    expect(await readPayment(other, shop.client, id)).toMatchObject({ amountRefunded: 2_900, amountRefundPending: 0, refunds: [{ status: 'succeeded' }] });
    expect(refunds()).toMatchObject([{ amount: 2_900 }]);
  }, 60_000);
});

describe('a worker that stands still while it gives stray money back (C7)', () => {
  it('denies nothing that another found out meanwhile, and the money goes back', async () => {
    const merchant = shop.culqi.merchant;
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_before_booking', merchant });
    const first = startOne();
    const failed = await settled(other, shop.client, (await createPayment(other, shop.client, paymentOf(await mintToken(sandbox.url, shop)))).body.id);
    expect(failed.status).toBe('failed');
    await first.kill('SIGTERM');
    const metadata = { attempt_id: failed.attempts[0]?.id, payment_id: failed.id };
    const booked = await fetch(`${sandbox.url}/v2/charges`, {
      method: 'POST', headers: { authorization: `Bearer ${shop.culqi.secretKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ amount: 12_900, currency_code: 'PEN', email: 'ana@ejemplo.pe', source_id: await mintToken(sandbox.url, shop), metadata }),
    });
    const { id } = (await booked.json()) as { id: string };
    sandbox.faults.add({ route: 'POST /v2/refunds', kind: 'hang_before_booking', delayMs: 60_000, merchant });
    sandbox.faults.add({ route: 'POST /v2/refunds', kind: 'rate_limited', times: 4, merchant });
    await other.ask({ method: 'POST', path: `/webhooks/culqi/${shop.tenantId}`, body: { object: 'event', id: 'evt_test_0123456789abcdef', type: 'charge.creation.succeeded', data: { object: 'charge', id, metadata } } });
    const still = startOne();
    expect(await eventually(() => posted('/refunds'), (count) => count === 1)).toBe(1);
    still.signal('SIGSTOP');
    await sleep(LEASE_MS + 500);
    startOne();
    expect(await eventually(() => posted('/refunds'), (count) => count === 2)).toBe(2);
    still.signal('SIGCONT');
    expect(await eventually(() => refunds(), ({ length }) => length > 0, 30_000)).toMatchObject([{ amount: 12_900, charge_id: id }]);
    expect((await readPayment(other, shop.client, failed.id)).status).toBe('failed');
  }, 90_000);
});

describe('two seconds without the event loop during a call (C10)', () => {
  const stops: [string, () => void][] = [
    ['the process stands still', () => {
      instance.signal('SIGSTOP');
      setTimeout(() => { instance.signal('SIGCONT'); }, STILL_MS);
    }],
    ['the loop is blocked', () => { instance.signal('SIGUSR2'); }],
  ];
  it.each(stops.flatMap(([how, stop]) => ([['comes meanwhile', 'delayed', 300], ['is lost', 'reset_after_booking', 0]] as const).map(([what, kind, delayMs]) => [what, how, kind, delayMs, stop] as const)))(
    'when the answer %s: a payment is done or unknown, never failed, when %s', async (_what, _how, kind, delayMs, stop) => {
      sandbox.faults.add({ route: 'POST /v2/charges', kind, merchant: shop.culqi.merchant, ...(kind === 'delayed' ? { delayMs } : {}) });
      const making = createPayment(instance, shop.client, paymentOf(await mintToken(sandbox.url, shop)));
      const isBooked = eventually(charges, ({ length }) => length === 1);
      await isBooked;
      stop();
      const made = await making;
      expect(made.status).toBe(201);
      expect(['captured', 'processing']).toContain(made.body.status);
      if (made.body.status === 'processing') expect(made.body.processingReason).toBe('outcome_unknown');
      startOne();
      expect(await settled(other, shop.client, made.body.id)).toMatchObject({ status: 'captured', amountCaptured: 12_900 });
      expect(charges()).toHaveLength(1);
    }, 30_000);

  it.each(stops)('a refund is done or in doubt, never failed, when %s', async (_how, stop) => {
    const { id } = await paidAtCulqi({ ...other, sandbox }, shop);
    sandbox.faults.add({ route: 'POST /v2/refunds', kind: 'delayed', delayMs: 300, merchant: shop.culqi.merchant });
    const making = refundPayment(instance, shop.client, id, { amount: 2_900 });
    await eventually(refunds, ({ length }) => length === 1);
    stop();
    const made = await making;
    expect(made.status).toBe(201);
    expect(['succeeded', 'submitted']).toContain(made.body.status);
    startOne();
    expect(await eventually(() => readPayment(other, shop.client, id), ({ amountRefunded }) => amountRefunded > 0)).toMatchObject({ amountRefunded: 2_900, refunds: [{ status: 'succeeded' }] });
    expect(refunds()).toHaveLength(1);
  }, 30_000);
});
