import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { mintToken, paymentOf, type PaymentBody } from '../support/payments.js';
import { startProcess, startWorker, type Program, type ServiceProcess } from '../support/process.js';
import { newMerchant, type Answer, type Ask, type Merchant } from '../support/service.js';
import { testEnvironment } from '../support/settings.js';
import { startStepProxy, type StepProxy } from '../support/step-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** Short, so that a client does not wait long for the key of a process that was killed. */
const TIMES = { GATEWAY_TIMEOUT_MS: '500', REQUEST_DEADLINE_MS: '1500', IDEMPOTENCY_LEASE_MS: '700', LOOKUP_LAG_MS: '100', ABSENCE_AFTER_MS: '100', RESOLVE_SCHEDULE: '100ms,200ms,500ms,1s,2s', WORKER: 'off' };
/** So many processes are killed beside each other. */
const LANES = 3;

type Shown = PaymentBody & { pendingOperation: string | null };
type Prepared = { ask: Ask; /** Our id of the payment, or null while nobody knows it. */ paymentId: string | null };
type Operation = { name: string; prepare: (shop: Merchant) => Promise<Prepared>; /** What must have become of it. */ expectEnd: (payment: Shown, charges: ReturnType<CulqiSandbox['books']['charges']>) => void };

let tables: TestDatabase;
let sandbox: CulqiSandbox;
/** Another instance, which clients reach after the one that they asked was killed. */
let steady: ServiceProcess;
let worker: Program;
beforeAll(async () => {
  tables = await createTestDatabase();
  sandbox = await startCulqiSandbox({});
  const environment = testEnvironment(tables.url, sandbox.url, TIMES);
  steady = await startProcess(environment);
  worker = startWorker({ ...environment, WORKER: 'inline' });
}, 60_000);
afterAll(async () => {
  await Promise.all([steady.kill('SIGTERM'), worker.kill('SIGTERM')]);
  await sandbox.close();
  await tables.drop();
});

const post = (shop: Merchant, path: string, body?: unknown): Ask => ({ method: 'POST', path, key: shop.client, ...(body === undefined ? {} : { body }), headers: { 'idempotency-key': randomUUID() } });
const made = async (shop: Merchant, changes: Record<string, unknown>): Promise<Shown> => (await steady.ask<Shown>(post(shop, '/v1/payments', { ...paymentOf(await mintToken(sandbox.url, shop)), ...changes }))).body;
const taken = (charges: ReturnType<CulqiSandbox['books']['charges']>) => charges.filter(({ capture }) => capture === true).map(({ amount, amount_refunded: refunded }) => amount - refunded);

const OPERATIONS: Operation[] = [
  {
    name: 'create', prepare: async (shop) => ({ ask: post(shop, '/v1/payments', paymentOf(await mintToken(sandbox.url, shop))), paymentId: null }),
    expectEnd: ({ status }, charges) => { expect([status, taken(charges)]).toEqual(charges.length > 0 ? ['captured', [12_900]] : ['failed', []]); },
  },
  {
    name: 'confirm',
    prepare: async (shop) => {
      const { id } = await made(shop, { confirm: false });
      return { ask: post(shop, `/v1/payments/${id}/confirm`, {}), paymentId: id };
    },
    expectEnd: ({ status }, charges) => { expect([status, taken(charges)]).toEqual(charges.length > 0 ? ['captured', [12_900]] : ['failed', []]); },
  },
  {
    name: 'capture',
    prepare: async (shop) => {
      const { id } = await made(shop, { captureMethod: 'manual' });
      return { ask: post(shop, `/v1/payments/${id}/capture`), paymentId: id };
    },
    expectEnd: ({ status }, charges) => { expect([status, taken(charges)]).toEqual(charges[0]?.capture === true ? ['captured', [12_900]] : ['authorized', []]); },
  },
  {
    name: 'void',
    prepare: async (shop) => {
      const { id } = await made(shop, { captureMethod: 'manual' });
      return { ask: post(shop, `/v1/payments/${id}/void`), paymentId: id };
    },
    expectEnd: ({ status }, charges) => { expect([status, charges.map(({ current_amount: left }) => left)]).toEqual(charges[0]?.current_amount === 0 ? ['voided', [0]] : ['authorized', [12_900]]); },
  },
  {
    name: 'refund',
    prepare: async (shop) => {
      const { id } = await made(shop, {});
      return { ask: post(shop, `/v1/payments/${id}/refunds`, { amount: 2_900 }), paymentId: id };
    },
    expectEnd: ({ refunds, amountRefunded }, charges) => { expect([(refunds).map(({ status }) => status), amountRefunded, taken(charges)]).toEqual([['succeeded'], 2_900, [10_000]]); },
  },
  {
    name: 'webhook',
    prepare: async (shop) => {
      const { id, gatewayReference } = await made(shop, {});
      sandbox.panel.refund(gatewayReference ?? '', 1_100);
      const body = { object: 'event', id: `evt_test_${randomUUID().slice(0, 8)}`, type: 'refund.creation.succeeded', data: { id: 'ref_test_x', chargeId: gatewayReference } };
      return { ask: { method: 'POST', path: `/webhooks/culqi/${shop.tenantId}`, body }, paymentId: id };
    },
    expectEnd: ({ refunds, amountRefunded }) => { expect([(refunds).map(({ origin }) => origin), amountRefunded]).toEqual([['gateway'], 1_100]); },
  },
];

/** An instance with its own way to the database, to be killed. */
async function startVictim(): Promise<{ service: ServiceProcess; proxy: StepProxy }> {
  const proxy = await startStepProxy(tables.url);
  return { proxy, service: await startProcess(testEnvironment(proxy.url, sandbox.url, TIMES)) };
}

/** A client, or a PSP with its webhook, that insists: the same bytes until there is an answer. */
async function insist(ask: Ask): Promise<Answer<Shown>> {
  for (const endsAt = Date.now() + 20_000; ; await sleep(50)) {
    const answer = await steady.ask<Shown>(ask);
    if (answer.status < 300) return answer;
    if (![409, 503].includes(answer.status) || Date.now() > endsAt) throw new Error(`${ask.path}: ${answer.text}`);
  }
}

async function endOf(shop: Merchant, id: string, isOver: (payment: Shown) => boolean): Promise<Shown> {
  for (const endsAt = Date.now() + 20_000; ; await sleep(50)) {
    const { body } = await steady.ask<Shown>({ path: `/v1/payments/${id}`, key: shop.client });
    const isCalm = body.status !== 'processing' && body.pendingOperation === null && (body.refunds).every(({ status }) => status !== 'submitted');
    if ((isCalm && isOver(body)) || Date.now() > endsAt) return body;
  }
}

/** How many commands the operation sends to the database. */
async function stepsOf(operation: Operation, shop: Merchant): Promise<number> {
  const { service, proxy } = await startVictim();
  const { ask } = await operation.prepare(shop);
  proxy.takeCount();
  expect((await service.ask(ask)).status).toBeLessThan(300);
  const steps = proxy.takeCount();
  await service.kill();
  await proxy.close();
  return steps;
}

/**
 * Kills the process at one step of the operation; then the client comes back, and everything agrees with Culqi's books. `over before`: this time there were
 * fewer commands, as one goes out twice now and then when a connection is opened or a transaction is run again.
 */
async function survives(operation: Operation, shop: Merchant, step: number, when: 'before' | 'after'): Promise<'killed' | 'over before'> {
  const { service, proxy } = await startVictim();
  const { ask, paymentId } = await operation.prepare(shop);
  proxy.strikeAt(step, when, () => { service.signal('SIGKILL'); });
  const first = await service.ask(ask).catch(() => null);
  if (first !== null) expect(proxy.takeCount()).toBeLessThan(step);
  await service.kill();
  await proxy.close();

  const answer = await insist(ask);
  const id = paymentId ?? answer.body.id;
  const end = await endOf(shop, id, ({ refunds }) => operation.name !== 'webhook' || refunds.length > 0);
  const charges = sandbox.books.charges(shop.culqi.merchant).filter(({ metadata, outcome }) => metadata.payment_id === id && outcome?.type === 'venta_exitosa');
  expect(charges.length).toBeLessThan(2);
  operation.expectEnd(end, charges);
  if (operation.name !== 'webhook') expect((await steady.ask(ask)).text).toBe(answer.text);
  return first === null ? 'killed' : 'over before';
}

describe('kill -9 before and after each command to the database (C1)', () => {
  it.each(OPERATIONS.map((operation) => [operation.name, operation] as const))('of a %s: the client comes back, and money and answers agree', async (_name, operation) => {
    const shops = await Promise.all(Array.from({ length: LANES }, () => newMerchant(steady.ask)));
    const steps = await stepsOf(operation, shops[0] as Merchant);
    const kills = Array.from({ length: steps }, (_, at) => at + 1).flatMap((step) => [[step, 'before'], [step, 'after']] as const);
    const ends: string[] = [];
    await Promise.all(shops.map(async (shop) => {
      for (let kill = kills.shift(); kill !== undefined; kill = kills.shift()) {
        const [step, when] = kill;
        const end = await survives(operation, shop, step, when).catch((error: unknown) => { throw new Error(`${operation.name}, killed ${when} command ${step} of ${steps}`, { cause: error }); });
        ends.push(end);
      }
    }));
    expect(ends).toHaveLength(steps * 2);
    expect(ends.filter((end) => end === 'killed').length).toBeGreaterThanOrEqual((steps - 2) * 2);
    expect(steps).toBeGreaterThan(operation.name === 'webhook' ? 3 : 8);
  }, 300_000);
});
