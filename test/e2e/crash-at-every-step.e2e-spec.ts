import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { onLanes } from '../support/lanes.js';
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
type Charges = ReturnType<CulqiSandbox['books']['charges']>;
/** What must have become of it. `charges`: of the payment, or, where the operation makes one, all that the merchant was charged since. */
type Operation = { name: string; prepare: (shop: Merchant) => Promise<Prepared>; /** Payments that it makes, and whether it may charge. */ makes: { payments: number; charges: boolean }; expectEnd: (payment: Shown, charges: Charges) => void };

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
const taken = (charges: Charges) => charges.filter(({ capture }) => capture === true).map(({ amount, amount_refunded: refunded }) => amount - refunded);

const OPERATIONS: Operation[] = [
  {
    name: 'create', makes: { payments: 1, charges: true }, prepare: async (shop) => ({ ask: post(shop, '/v1/payments', paymentOf(await mintToken(sandbox.url, shop))), paymentId: null }),
    expectEnd: ({ status }, charges) => { expect([status, taken(charges)]).toEqual(charges.length > 0 ? ['captured', [12_900]] : ['failed', []]); },
  },
  {
    name: 'confirm', makes: { payments: 0, charges: true },
    prepare: async (shop) => {
      const { id } = await made(shop, { confirm: false });
      return { ask: post(shop, `/v1/payments/${id}/confirm`, {}), paymentId: id };
    },
    expectEnd: ({ status }, charges) => { expect([status, taken(charges)]).toEqual(charges.length > 0 ? ['captured', [12_900]] : ['failed', []]); },
  },
  {
    name: 'capture', makes: { payments: 0, charges: false },
    prepare: async (shop) => {
      const { id } = await made(shop, { captureMethod: 'manual' });
      return { ask: post(shop, `/v1/payments/${id}/capture`), paymentId: id };
    },
    expectEnd: ({ status }, charges) => { expect([status, taken(charges)]).toEqual(charges[0]?.capture === true ? ['captured', [12_900]] : ['authorized', []]); },
  },
  {
    name: 'void', makes: { payments: 0, charges: false },
    prepare: async (shop) => {
      const { id } = await made(shop, { captureMethod: 'manual' });
      return { ask: post(shop, `/v1/payments/${id}/void`), paymentId: id };
    },
    expectEnd: ({ status }, charges) => { expect([status, charges.map(({ current_amount: left }) => left)]).toEqual(charges[0]?.current_amount === 0 ? ['voided', [0]] : ['authorized', [12_900]]); },
  },
  {
    name: 'refund', makes: { payments: 0, charges: false },
    prepare: async (shop) => {
      const { id } = await made(shop, {});
      return { ask: post(shop, `/v1/payments/${id}/refunds`, { amount: 2_900 }), paymentId: id };
    },
    expectEnd: ({ refunds, amountRefunded }, charges) => { expect([(refunds).map(({ status }) => status), amountRefunded, taken(charges)]).toEqual([['succeeded'], 2_900, [10_000]]); },
  },
  {
    name: 'webhook', makes: { payments: 0, charges: false },
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

/** How many commands the operation sends to the database, and which of them are COMMITs. */
async function stepsOf(operation: Operation, shop: Merchant): Promise<{ steps: number; commits: readonly number[] }> {
  const { service, proxy } = await startVictim();
  const { ask } = await operation.prepare(shop);
  proxy.takeCount();
  expect((await service.ask(ask)).status).toBeLessThan(300);
  const [commits, steps] = [proxy.commits(), proxy.takeCount()];
  await service.kill();
  await proxy.close();
  return { steps, commits };
}

/** All that a merchant has: payments here, charges that took or reserved money at Culqi, and what people must look at. */
async function belongingsOf(shop: Merchant): Promise<{ payments: number; approved: Charges; tickets: string[] }> {
  const [row] = await tables.query<{ n: number }>('select count(*) as n from payments where tenant_id = ?', [shop.tenantId]);
  const tickets = await tables.query<{ kind: string }>('select kind from tickets where tenant_id = ?', [shop.tenantId]);
  return { payments: Number(row?.n), approved: sandbox.books.charges(shop.culqi.merchant).filter(({ approved }) => approved), tickets: tickets.map(({ kind }) => kind) };
}

/**
 * Kills the process at one step of the operation; then the client comes back, and everything agrees with Culqi's books. `over before`: this time there were
 * fewer commands, as one goes out twice now and then when a connection is opened or a transaction is run again.
 */
async function survives(operation: Operation, shop: Merchant, step: number, when: 'before' | 'after'): Promise<'killed' | 'over before'> {
  const { service, proxy } = await startVictim();
  const struckOnce = async () => {
    const prepared = await operation.prepare(shop);
    const before = await belongingsOf(shop);
    proxy.strikeAt(step, when, () => { service.signal('SIGKILL'); });
    return { prepared, before, first: await service.ask(prepared.ask).catch(() => null), count: proxy.takeCount() };
  };
  const { prepared: { ask, paymentId }, before, first, count } = await struckOnce().finally(async () => {
    await service.kill();
    await proxy.close();
  });
  if (first !== null) expect(count).toBeLessThan(step);

  const answer = await insist(ask);
  const id = paymentId ?? answer.body.id;
  const end = await endOf(shop, id, ({ refunds }) => operation.name !== 'webhook' || refunds.length > 0);
  // Of everything, not only of what bears the id that was answered: nothing may have been made beside it.
  const after = await belongingsOf(shop);
  const since = after.approved.slice(before.approved.length);
  expect({ payments: after.payments, charges: since.length, tickets: after.tickets }).toEqual({
    payments: before.payments + operation.makes.payments, charges: operation.makes.charges && end.status === 'captured' ? 1 : 0, tickets: [],
  });
  const charges = after.approved.filter(({ metadata }) => metadata.payment_id === id);
  operation.expectEnd(end, operation.makes.charges ? since : charges);
  expect(charges).toHaveLength(operation.makes.charges ? since.length : 1);
  if (operation.name !== 'webhook') expect((await steady.ask(ask)).text).toBe(answer.text);
  return first === null ? 'killed' : 'over before';
}

describe('kill -9 before and after each command to the database (C1)', () => {
  it.each(OPERATIONS.map((operation) => [operation.name, operation] as const))('of a %s: the client comes back, and money and answers agree', async (_name, operation) => {
    const shops = await Promise.all(Array.from({ length: LANES }, () => newMerchant(steady.ask)));
    const { steps, commits } = await stepsOf(operation, shops[0] as Merchant);
    // After a command of a transaction that is not committed the database is as it was before: only what a COMMIT leaves behind that nobody heard of is another thing.
    const kills = [...Array.from({ length: steps }, (_, at) => [at + 1, 'before'] as const), ...commits.map((step) => [step, 'after'] as const)];
    const ends: string[] = [];
    await onLanes(shops, kills, async (shop, [step, when]) => {
      ends.push(await survives(operation, shop, step, when).catch((error: unknown) => { throw new Error(`${operation.name}, killed ${when} command ${step} of ${steps}`, { cause: error }); }));
    });
    expect(commits.length).toBeGreaterThan(0);
    expect(ends).toHaveLength(steps + commits.length);
    expect(ends.filter((end) => end === 'killed').length).toBeGreaterThanOrEqual(steps + commits.length - 4);
    expect(steps).toBeGreaterThan(operation.name === 'webhook' ? 3 : 8);
  }, 300_000);
});
