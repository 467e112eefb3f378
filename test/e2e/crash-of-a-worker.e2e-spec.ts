import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import { Logger } from 'nestjs-pino';
import { AppModule } from '../../src/app.module.js';
import { readEnv } from '../../src/config/read-env.js';
import { ormOptions } from '../../src/mikro-orm.config.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { withLog } from '../../src/platform/logging/logging.module.js';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { onLanes } from '../support/lanes.js';
import { approvedCharges, createPayment, eventually, mintToken, paidAtCulqi, paymentOf, readPayment, refundPayment, type PaymentBody } from '../support/payments.js';
import { startWorker, type Program } from '../support/process.js';
import { newMerchant, startInstance, type Merchant } from '../support/service.js';
import { testEnvironment } from '../support/settings.js';
import { startStepProxy, type StepProxy } from '../support/step-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** Short, so that nobody waits long for the jobs of a worker that was killed. */
const TIMES = { GATEWAY_TIMEOUT_MS: '500', REQUEST_DEADLINE_MS: '1500', IDEMPOTENCY_LEASE_MS: '700', LOOKUP_LAG_MS: '100', ABSENCE_AFTER_MS: '100', RESOLVE_SCHEDULE: '100ms,200ms,500ms,1s,2s,2s,2s', JOB_POLL_MS: '100', JOB_LEASE_MS: '1000' };
/** So many workers are killed beside each other, each of a database of its own: no other takes its jobs. */
const LANES = 3;
/** With this a worker takes a job; what it sends before is the same each time, and no job's. */
const CLAIM = /update `jobs` set `lease_token`/;

/** A database that has an instance of the API, and a worker only when one is started. */
type Lane = { tables: TestDatabase; instance: Awaited<ReturnType<typeof startInstance>>; shop: Merchant };
type Work = { name: string; /** Leaves a job that is to be done; gives the payment. */ prepare: (lane: Lane) => Promise<string>; isOver: (payment: PaymentBody) => boolean; expectEnd: (payment: PaymentBody, shop: Merchant) => void };

let sandbox: CulqiSandbox;
let lanes: Lane[];
beforeAll(async () => {
  sandbox = await startCulqiSandbox({});
  lanes = await Promise.all(Array.from({ length: LANES }, async () => {
    const tables = await createTestDatabase();
    const instance = await startInstance(tables.url, sandbox.url, { ...TIMES, WORKER: 'off' });
    // What recurs is made before there is any merchant, and not due while workers are killed.
    const worker = await startWorkerHere({ tables });
    await eventually(() => tables.query('select id from jobs where run_at > now(3) + interval 2 minute'), (jobs) => jobs.length === 2);
    await worker.close();
    await tables.query('update jobs set run_at = now(3) + interval 1 day');
    return { tables, instance, shop: await newMerchant(instance.ask) };
  }));
}, 60_000);
afterAll(async () => {
  for (const { instance, tables } of lanes) {
    await instance.app.close();
    await tables.drop();
  }
  await sandbox.close();
});

/** A worker in this process, which does what the killed one left. */
async function startWorkerHere({ tables }: Pick<Lane, 'tables'>): Promise<{ close: () => Promise<void> }> {
  const env = readEnv(testEnvironment(tables.url, sandbox.url, TIMES));
  const database = await openDatabase(ormOptions(env.databaseUrl, env.databasePool));
  const app = await NestFactory.createApplicationContext(withLog(AppModule.worker(env, database), env), { bufferLogs: true });
  app.useLogger(app.get(Logger));
  return app;
}

/** Waits until the job of the payment is due. */
async function due({ tables }: Lane, paymentId: string): Promise<string> {
  const jobs = await eventually(() => tables.query('select id from jobs where run_at <= now(3)'), ({ length }) => length > 0);
  expect(jobs).toHaveLength(1);
  return paymentId;
}

const refundsOf = ({ gatewayReference }: PaymentBody, shop: Merchant) => sandbox.books.refunds(shop.culqi.merchant).filter(({ charge_id: charge }) => charge === gatewayReference).map(({ amount }) => amount);

const WORKS: Work[] = [
  {
    name: 'the look-up of a lost reply',
    prepare: async (lane) => {
      sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking', merchant: lane.shop.culqi.merchant });
      const { body } = await createPayment(lane.instance, lane.shop.client, paymentOf(await mintToken(sandbox.url, lane.shop)));
      expect(body).toMatchObject({ status: 'processing', processingReason: 'outcome_unknown' });
      return due(lane, body.id);
    },
    isOver: ({ status }) => status !== 'processing',
    expectEnd: (payment) => { expect(payment).toMatchObject({ status: 'captured', amountCaptured: 12_900, attempts: [{ status: 'succeeded' }] }); },
  },
  {
    name: 'the queue of refunds',
    prepare: async (lane) => {
      const { id } = await paidAtCulqi({ ...lane.instance, sandbox }, lane.shop);
      sandbox.faults.add({ route: 'POST /v2/refunds', kind: 'rate_limited', merchant: lane.shop.culqi.merchant });
      expect((await refundPayment(lane.instance, lane.shop.client, id, { amount: 2_900 })).body).toMatchObject({ status: 'submitted' });
      return due(lane, id);
    },
    isOver: ({ refunds }) => refunds.every(({ status }) => status !== 'submitted'),
    expectEnd: (payment, shop) => {
      expect(payment).toMatchObject({ status: 'captured', amountRefunded: 2_900, amountRefundPending: 0, refunds: [{ status: 'succeeded' }] });
      expect(refundsOf(payment, shop)).toEqual([2_900]);
    },
  },
  {
    name: 'the processing of a webhook',
    prepare: async (lane) => {
      const { id, gatewayReference } = await paidAtCulqi({ ...lane.instance, sandbox }, lane.shop);
      sandbox.panel.refund(gatewayReference ?? '', 1_100);
      const body = { object: 'event', id: `evt_test_${randomUUID().slice(0, 8)}`, type: 'refund.creation.succeeded', data: { id: 'ref_test_x', chargeId: gatewayReference } };
      expect((await lane.instance.ask({ method: 'POST', path: `/webhooks/culqi/${lane.shop.tenantId}`, body })).status).toBe(200);
      return due(lane, id);
    },
    isOver: ({ refunds }) => refunds.length > 0,
    expectEnd: (payment) => { expect(payment).toMatchObject({ status: 'captured', amountRefunded: 1_100, refunds: [{ origin: 'gateway', status: 'succeeded' }] }); },
  },
];

/** The payment once its work and all that followed from it are done. */
async function endOf({ tables, instance, shop }: Lane, id: string, { isOver }: Work): Promise<PaymentBody> {
  const payment = await eventually(() => readPayment(instance, shop.client, id), isOver);
  await eventually(() => tables.query('select id from jobs where run_at <= now(3) + interval 1 minute'), (jobs) => jobs.length === 0);
  return isOver(payment) ? readPayment(instance, shop.client, id) : payment;
}

/** A worker with its own way to the database, to be killed. */
async function startVictim({ tables }: Lane, arm: (proxy: StepProxy) => void): Promise<{ worker: Program; proxy: StepProxy }> {
  const proxy = await startStepProxy(tables.url);
  arm(proxy);
  return { proxy, worker: startWorker(testEnvironment(proxy.url, sandbox.url, TIMES)) };
}

/** How many commands the work takes; a few more, as a worker also looks for other jobs. */
async function stepsOf(lane: Lane, work: Work): Promise<{ steps: number; commits: readonly number[] }> {
  const id = await work.prepare(lane);
  const { worker, proxy } = await startVictim(lane, ({ countFrom }) => { countFrom(CLAIM); });
  try {
    work.expectEnd(await endOf(lane, id, work), lane.shop);
    return { commits: proxy.commits(), steps: proxy.takeCount() };
  } finally {
    await worker.kill();
    await proxy.close();
  }
}

async function totalsOf({ tables, shop }: Lane): Promise<{ payments: number; charges: number; tickets: string[]; unheard: number }> {
  const tickets = await tables.query<{ kind: string }>('select kind from tickets');
  const unheard = await tables.query("select id from webhook_events where status <> 'processed'");
  return { payments: (await tables.query('select id from payments')).length, charges: approvedCharges({ sandbox }, shop).length, tickets: tickets.map(({ kind }) => kind), unheard: unheard.length };
}

/** Kills the worker at one step of the work; then another comes, and everything agrees with Culqi's books. */
async function survives(lane: Lane, work: Work, step: number, when: 'before' | 'after'): Promise<void> {
  const id = await work.prepare(lane);
  const before = await totalsOf(lane);
  let wasStruck = false;
  const { worker, proxy } = await startVictim(lane, ({ strikeAt }) => { strikeAt(step, when, () => { wasStruck = true; worker.signal('SIGKILL'); }, CLAIM); });
  await eventually(() => wasStruck, (struck) => struck);
  await worker.kill();
  await proxy.close();
  expect(wasStruck).toBe(true);

  const another = await startWorkerHere(lane);
  try {
    work.expectEnd(await endOf(lane, id, work), lane.shop);
    expect(await totalsOf(lane)).toEqual({ ...before, tickets: [], unheard: 0 });
  } finally {
    await another.close();
  }
}

describe('kill -9 of a worker before and after each command to the database (C1)', () => {
  it.each(WORKS.map((work) => [work.name, work] as const))('in %s: another does it, once', async (_name, work) => {
    const { steps, commits } = await stepsOf(lanes[0] as Lane, work);
    expect(steps).toBeGreaterThan(8);
    expect(commits.length).toBeGreaterThan(1);
    // After a command of a transaction that is not committed the database is as it was before: only what a COMMIT leaves behind that nobody heard of is another thing.
    const kills = [...Array.from({ length: steps }, (_, at) => [at + 1, 'before'] as const), ...commits.map((step) => [step, 'after'] as const)];
    await onLanes(lanes, kills, async (lane, [step, when]) => {
      await survives(lane, work, step, when).catch((error: unknown) => { throw new Error(`${work.name}, killed ${when} command ${step} of ${steps}`, { cause: error }); });
    });
  }, 400_000);
});
