import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { startDatabaseProxy, type DatabaseProxy } from '../support/database-proxy.js';
import { approvedCharges, createPayment, eventually, mintToken, paymentOf, settled, type PaymentBody, type RefundBody } from '../support/payments.js';
import { startProcess, type ServiceProcess } from '../support/process.js';
import { newMerchant, type Answer, type Ask, type Merchant } from '../support/service.js';
import { testEnvironment } from '../support/settings.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** The transaction before the PSP is called, and the one after it. */
const TX1 = /^insert into `idempotency_keys`/;
const TX2 = /^update `idempotency_keys`/;

let tables: TestDatabase;
let sandbox: CulqiSandbox;
let proxy: DatabaseProxy;
let service: ServiceProcess;
let shop: Merchant;

const start = (): Promise<ServiceProcess> => startProcess(testEnvironment(proxy.url, sandbox.url));

beforeAll(async () => {
  tables = await createTestDatabase();
  sandbox = await startCulqiSandbox({});
  proxy = await startDatabaseProxy(tables.url);
  service = await start();
  shop = await newMerchant(service.ask);
}, 60_000);

afterAll(async () => {
  await service.kill('SIGTERM');
  await proxy.close();
  await sandbox.close();
  await tables.drop();
});

/** A client that insists: the same key and body until there is an answer. */
async function insist(body: unknown, key: string): Promise<Answer<PaymentBody>> {
  for (const endsAt = Date.now() + 20_000; ; await sleep(100)) {
    const answer = await createPayment(service, shop.client, body, key).catch(() => null);
    if (answer !== null && answer.status !== 409 && answer.status !== 503) return answer;
    if (Date.now() > endsAt) throw new Error(`no answer: ${answer?.status}`);
  }
}

/** Runs one payment, kills the service when `killed` says so, restarts it, and lets the client come back. */
async function killedPayment(killWhen: () => Promise<void>, token: string, afterKill: () => Promise<unknown> = () => Promise.resolve()): Promise<{ answer: Answer<PaymentBody>; key: string; body: unknown }> {
  const key = randomUUID();
  const body = paymentOf(token);
  const moment = killWhen();
  const first = createPayment(service, shop.client, body, key).catch(() => null);
  await moment;
  await service.kill();
  await afterKill();
  expect(await first).toBeNull();
  service = await start();
  return { answer: await insist(body, key), key, body };
}

async function expectOneCharge({ answer, key, body }: Awaited<ReturnType<typeof killedPayment>>, chargesBefore: number): Promise<void> {
  expect(answer.status).toBe(201);
  expect(await settled(service, shop.client, answer.body.id)).toMatchObject({ status: 'captured', amountCaptured: 12_900 });
  expect(approvedCharges({ sandbox }, shop)).toHaveLength(chargesBefore + 1);
  const again = await createPayment(service, shop.client, body, key);
  expect(again.text).toBe(answer.text);
  expect(again.headers['idempotent-replayed']).toBe('true');
}

describe('kill -9 of the service', () => {
  it('after tx1, before the PSP was called: nothing is charged, and the payment ends as failed', async () => {
    const before = sandbox.books.charges(shop.culqi.merchant).length;
    const { answer } = await killedPayment(() => proxy.strikeCommit(TX1, 'hold_answer'), await mintToken(sandbox.url, shop));
    expect(answer.status).toBe(201);
    expect(await settled(service, shop.client, answer.body.id)).toMatchObject({ status: 'failed', failure: { code: 'gateway_unavailable' } });
    expect(sandbox.books.charges(shop.culqi.merchant)).toHaveLength(before);
  }, 60_000);

  it('between the PSP\'s booking and its answer: one charge, and the stored answer (C2)', async () => {
    const before = approvedCharges({ sandbox }, shop).length;
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'hang_after_booking', delayMs: 10_000 });
    const killed = await killedPayment(() => until(() => approvedCharges({ sandbox }, shop).length > before), await mintToken(sandbox.url, shop));
    await expectOneCharge(killed, before);
  }, 60_000);

  it('between the PSP\'s answer and tx2: one charge, and the stored answer', async () => {
    const before = approvedCharges({ sandbox }, shop).length;
    // tx2 waits for a row lock that the test holds; the PSP has answered by then.
    const token = await mintToken(sandbox.url, shop);
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'delayed', delayMs: 400 });
    const killed = await killedPayment(async () => {
      await until(() => approvedCharges({ sandbox }, shop).length > before);
      const [payment] = await tables.query<{ id: string }>('select id from payments order by created_at desc limit 1');
      await tables.query('start transaction');
      await tables.query('select id from payments where id = ? for update', [payment?.id]);
      await until(() => sandbox.books.requests(shop.culqi.merchant).some(({ method, status, at }) => method === 'POST' && status === 201 && at > Date.now() - 5_000));
      await sleep(150);
    }, token, () => tables.query('rollback'));
    await expectOneCharge(killed, before);
  }, 60_000);

  it('after tx2, before the reply left: one charge, and the stored answer (C3)', async () => {
    const before = approvedCharges({ sandbox }, shop).length;
    const killed = await killedPayment(() => proxy.strikeCommit(TX2, 'hold_answer'), await mintToken(sandbox.url, shop));
    expect(killed.answer.body.status).toBe('captured');
    expect(killed.answer.headers['idempotent-replayed']).toBe('true');
    await expectOneCharge(killed, before);
  }, 60_000);

  it('is mended without the client coming back', async () => {
    const before = approvedCharges({ sandbox }, shop).length;
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'hang_after_booking', delayMs: 10_000 });
    void createPayment(service, shop.client, paymentOf(await mintToken(sandbox.url, shop)), randomUUID()).catch(() => null);
    await until(() => approvedCharges({ sandbox }, shop).length > before);
    await service.kill();
    service = await start();
    const [payment] = await tables.query<{ id: string }>('select id from payments order by created_at desc limit 1');
    expect(await settled(service, shop.client, payment!.id)).toMatchObject({ status: 'captured' });
    const [key] = await tables.query<{ state: string }>('select k.state from idempotency_keys k join payment_attempts a on a.id = k.attempt_id where a.payment_id = ?', [payment!.id]);
    expect(key).toEqual({ state: 'done' });
  }, 60_000);
});

describe('kill -9 of the service during a capture', () => {
  /** The client insists on its capture until there is an answer. */
  const capture = (id: string, key: string) => service.ask<PaymentBody & { pendingOperation: string | null }>({ method: 'POST', path: `/v1/payments/${id}/capture`, key: shop.client, headers: { 'idempotency-key': key } });
  const captures = (id: string): number => sandbox.books.requests(shop.culqi.merchant).filter(({ path }) => path.endsWith(`${id}/capture`)).length;

  it.each<[string, string, 'captured' | 'authorized', (reference: string) => Promise<void>]>([
    ['after tx1, before Culqi was asked: the money stays reserved', 'never sent', 'authorized', () => proxy.strikeCommit(TX1, 'hold_answer')],
    ['between Culqi\'s booking and its answer: the payment is captured, once', 'sent once', 'captured', (reference) => {
      sandbox.faults.add({ route: 'POST /v2/charges/:id/capture', kind: 'hang_after_booking', delayMs: 10_000 });
      return until(() => sandbox.books.charges(shop.culqi.merchant).some(({ id, capture: taken }) => id === reference && taken === true));
    }],
  ])('%s', async (_when, sent, outcome, killWhen) => {
    const made = await createPayment(service, shop.client, { ...paymentOf(await mintToken(sandbox.url, shop)), captureMethod: 'manual' });
    expect(made.body.status).toBe('authorized');
    const key = randomUUID();
    const moment = killWhen(made.body.gatewayReference ?? '');
    const first = capture(made.body.id, key).catch(() => null);
    await moment;
    await service.kill();
    expect(await first).toBeNull();
    service = await start();

    let answer = await capture(made.body.id, key);
    for (const endsAt = Date.now() + 20_000; answer.status === 409 && Date.now() < endsAt; answer = await capture(made.body.id, key)) await sleep(100);
    expect(answer.status).toBe(200);
    for (const endsAt = Date.now() + 15_000; Date.now() < endsAt; await sleep(50)) {
      const { body } = await service.ask<{ pendingOperation: string | null }>({ path: `/v1/payments/${made.body.id}`, key: shop.client });
      if (body.pendingOperation === null) break;
    }
    expect((await service.ask<PaymentBody>({ path: `/v1/payments/${made.body.id}`, key: shop.client })).body).toMatchObject({ status: outcome, pendingOperation: null });
    expect(captures(made.body.gatewayReference ?? '')).toBe(sent === 'sent once' ? 1 : 0);
    expect((await capture(made.body.id, key)).text).toBe(answer.text);
  }, 60_000);
});

describe('kill -9 of the service during a refund', () => {
  const refund = (id: string, key: string) => service.ask<RefundBody>({ method: 'POST', path: `/v1/payments/${id}/refunds`, key: shop.client, body: { amount: 2_900 }, headers: { 'idempotency-key': key } });
  const refunds = (reference: string | null) => sandbox.books.refunds(shop.culqi.merchant).filter(({ charge_id: charge }) => charge === reference);

  it.each<[string, (reference: string) => Promise<void>]>([
    ['after tx1, before Culqi was asked: it is asked once that is sure', () => proxy.strikeCommit(TX1, 'hold_answer')],
    ['between Culqi\'s booking and its answer: it is found', (reference) => {
      sandbox.faults.add({ route: 'POST /v2/refunds', kind: 'hang_after_booking', delayMs: 10_000 });
      return until(() => refunds(reference).length > 0);
    }],
    ['after tx2, before the reply left: the answer is stored', () => proxy.strikeCommit(TX2, 'hold_answer')],
  ])('%s, done once', async (_when, killWhen) => {
    const { body: payment } = await createPayment(service, shop.client, paymentOf(await mintToken(sandbox.url, shop)));
    const key = randomUUID();
    const moment = killWhen(payment.gatewayReference ?? '');
    const first = refund(payment.id, key).catch(() => null);
    await moment;
    await service.kill();
    expect(await first).toBeNull();
    service = await start();

    let answer = await refund(payment.id, key);
    for (const endsAt = Date.now() + 20_000; answer.status === 409 && Date.now() < endsAt; answer = await refund(payment.id, key)) await sleep(100);
    expect(answer).toMatchObject({ status: 201, body: { amount: 2_900, paymentId: payment.id } });
    const shown = async () => (await service.ask<RefundBody>({ path: `/v1/refunds/${answer.body.id}`, key: shop.client })).body;
    for (const endsAt = Date.now() + 15_000; (await shown()).status === 'submitted' && Date.now() < endsAt;) await sleep(50);
    expect(await shown()).toMatchObject({ status: 'succeeded' });
    expect(refunds(payment.gatewayReference)).toMatchObject([{ amount: 2_900 }]);
    expect((await refund(payment.id, key)).text).toBe(answer.text);
  }, 60_000);

  it('right after a webhook was answered loses nothing of it (B13)', async () => {
    const { body: payment } = await createPayment(service, shop.client, paymentOf(await mintToken(sandbox.url, shop)));
    sandbox.panel.refund(payment.gatewayReference ?? '', 1_100);
    const received = await service.ask({
      method: 'POST', path: `/webhooks/culqi/${shop.tenantId}`, body: { object: 'event', id: `evt_test_${randomUUID().slice(0, 8)}`, type: 'refund.creation.succeeded', data: { id: 'ref_test_x', chargeId: payment.gatewayReference } },
    });
    await service.kill();
    expect(received).toMatchObject({ status: 200, body: { received: true } });
    service = await start();
    const shown = async () => (await service.ask<PaymentBody>({ path: `/v1/payments/${payment.id}`, key: shop.client })).body;
    for (const endsAt = Date.now() + 15_000; (await shown()).amountRefunded === 0 && Date.now() < endsAt;) await sleep(50);
    expect(await shown()).toMatchObject({ amountRefunded: 1_100, refunds: [{ origin: 'gateway' }] });
  }, 60_000);
});

describe('a connection lost after COMMIT was sent (D4)', () => {
  it.each([['tx1', TX1], ['tx2', TX2]])('of %s leaves one payment, one charge and one answer', async (_transaction, statement) => {
    const before = approvedCharges({ sandbox }, shop).length;
    const struck = proxy.strikeCommit(statement, 'cut_before_answer');
    const made = await createPayment(service, shop.client, paymentOf(await mintToken(sandbox.url, shop)));
    await struck;
    expect(made).toMatchObject({ status: 201, body: { status: 'captured' } });
    expect(approvedCharges({ sandbox }, shop)).toHaveLength(before + 1);
    const [transitions] = await tables.query<{ n: number }>('select count(*) as n from payment_transitions where payment_id = ?', [made.body.id]);
    expect(transitions?.n).toBe(3);
  });

  type Operation = { name: string; statements: RegExp[]; prepare: () => Promise<{ ask: Ask; payment: PaymentBody }>; isOver?: (payment: PaymentBody) => boolean; expectEnd: (payment: PaymentBody) => void };
  const post = (path: string, body?: unknown): Ask => ({ method: 'POST', path, key: shop.client, ...(body === undefined ? {} : { body }), headers: { 'idempotency-key': randomUUID() } });
  const made = async (changes: Record<string, unknown> = {}): Promise<PaymentBody> => (await createPayment(service, shop.client, paymentOf(await mintToken(sandbox.url, shop), changes))).body;
  const charge = ({ gatewayReference }: PaymentBody) => sandbox.books.charges(shop.culqi.merchant).find(({ id }) => id === gatewayReference);
  const operations: Operation[] = [
    {
      name: 'confirm', statements: [TX1, TX2],
      prepare: async () => {
        const payment = await made({ confirm: false });
        return { payment, ask: post(`/v1/payments/${payment.id}/confirm`, {}) };
      },
      expectEnd: (payment) => {
        expect(payment).toMatchObject({ status: 'captured', amountCaptured: 12_900 });
        expect(approvedCharges({ sandbox }, shop).filter(({ metadata }) => metadata.payment_id === payment.id)).toHaveLength(1);
      },
    },
    {
      name: 'capture', statements: [TX1, TX2],
      prepare: async () => {
        const payment = await made({ captureMethod: 'manual' });
        return { payment, ask: post(`/v1/payments/${payment.id}/capture`) };
      },
      expectEnd: (payment) => {
        expect(payment).toMatchObject({ status: 'captured', amountCaptured: 12_900 });
        expect(charge(payment)).toMatchObject({ capture: true, amount_refunded: 0 });
      },
    },
    {
      name: 'void', statements: [TX1, TX2],
      prepare: async () => {
        const payment = await made({ captureMethod: 'manual' });
        return { payment, ask: post(`/v1/payments/${payment.id}/void`) };
      },
      expectEnd: (payment) => {
        expect(payment).toMatchObject({ status: 'voided', amountCaptured: 0 });
        expect(charge(payment)).toMatchObject({ capture: false, current_amount: 0 });
      },
    },
    {
      name: 'refund', statements: [TX1, TX2],
      prepare: async () => {
        const payment = await made();
        return { payment, ask: post(`/v1/payments/${payment.id}/refunds`, { amount: 2_900 }) };
      },
      expectEnd: (payment) => {
        expect(payment).toMatchObject({ amountRefunded: 2_900, refunds: [{ status: 'succeeded', amount: 2_900 }] });
        expect(sandbox.books.refunds(shop.culqi.merchant).filter(({ charge_id: id }) => id === payment.gatewayReference)).toMatchObject([{ amount: 2_900 }]);
      },
    },
    {
      name: 'webhook', statements: [/^insert into `webhook_events`/],
      prepare: async () => {
        const payment = await made();
        sandbox.panel.refund(payment.gatewayReference ?? '', 1_100);
        const body = { object: 'event', id: `evt_test_${randomUUID().slice(0, 8)}`, type: 'refund.creation.succeeded', data: { id: 'ref_test_x', chargeId: payment.gatewayReference } };
        return { payment, ask: { method: 'POST', path: `/webhooks/culqi/${shop.tenantId}`, body } };
      },
      isOver: ({ refunds }) => refunds.length > 0,
      expectEnd: (payment) => { expect(payment).toMatchObject({ amountRefunded: 1_100, refunds: [{ origin: 'gateway', amount: 1_100 }] }); },
    },
  ];

  /** What is stored of a payment, once nothing is to be done for it any more: so many rows of each kind. */
  async function storedOf({ id }: PaymentBody): Promise<object> {
    await eventually(() => tables.query('select id from jobs where tenant_id = ? and run_at < now(3) + interval 1 minute', [shop.tenantId]), (jobs) => jobs.length === 0);
    const rows = await Promise.all(['payment_attempts', 'payment_transitions', 'refunds', 'tickets', 'webhook_events'].map(async (table) =>
      [table, (await tables.query(`select * from ${table} where payment_id = ?`, [id])).length]));
    return Object.fromEntries(rows) as object;
  }

  async function run({ prepare, isOver = () => true, expectEnd }: Operation, statement: RegExp | null): Promise<object> {
    const { ask, payment } = await prepare();
    const struck = statement === null ? Promise.resolve() : proxy.strikeCommit(statement, 'cut_before_answer');
    const answer = await service.ask(ask);
    await struck;
    expect(answer.status).toBe(ask.path.endsWith('/refunds') ? 201 : 200);
    const end = await eventually(async () => (await service.ask<PaymentBody>({ path: `/v1/payments/${payment.id}`, key: shop.client })).body, isOver);
    expectEnd(end);
    if (ask.headers !== undefined) expect((await service.ask(ask)).text).toBe(answer.text);
    return storedOf(payment);
  }

  it.each(operations.flatMap((operation) => operation.statements.map((statement, at) => [`tx${at + 1}`, operation.name, statement, operation] as const)))(
    'of %s of a %s leaves what it would have left anyhow', async (_transaction, _name, statement, operation) => {
      const stored = await run(operation, null);
      expect(await run(operation, statement)).toEqual(stored);
    });
});

describe('a process that stood still (C7)', () => {
  it('for longer than its window sends nothing, and answers what was found out meanwhile', async () => {
    const before = sandbox.books.charges(shop.culqi.merchant).length;
    const other = await start();
    try {
      const key = randomUUID();
      const body = paymentOf(await mintToken(sandbox.url, shop));
      const struck = proxy.strikeCommit(TX1, 'hold_answer');
      const first = createPayment(service, shop.client, body, key);
      await struck;
      service.signal('SIGSTOP');
      const [payment] = await tables.query<{ id: string }>('select id from payments order by created_at desc limit 1');
      expect(await settled(other, shop.client, payment!.id)).toMatchObject({ status: 'failed', failure: { code: 'gateway_unavailable' } });
      const stored = await createPayment(other, shop.client, body, key);
      service.signal('SIGCONT');
      proxy.release();
      expect((await first).text).toBe(stored.text);
      expect(sandbox.books.charges(shop.culqi.merchant)).toHaveLength(before);
    } finally {
      await service.kill();
      service = other;
    }
  }, 60_000);
});

describe('SIGTERM (C6)', () => {
  it('lets the request in hand finish, and ends', async () => {
    const other = await start();
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'delayed', delayMs: 800 });
    const before = approvedCharges({ sandbox }, shop).length;
    const made = createPayment(other, shop.client, paymentOf(await mintToken(sandbox.url, shop)));
    await until(() => approvedCharges({ sandbox }, shop).length > before);
    const ended = other.kill('SIGTERM');
    expect(await made).toMatchObject({ status: 201, body: { status: 'captured' } });
    expect(await Promise.race([ended.then(() => 'ended'), sleep(8_000, 'still running', { ref: false })])).toBe('ended');
  }, 60_000);
});

async function until(claim: () => boolean): Promise<void> {
  for (const endsAt = Date.now() + 10_000; !claim(); await sleep(20)) if (Date.now() > endsAt) throw new Error('it did not come to pass');
}
