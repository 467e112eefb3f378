import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { ormOptions } from '../../src/mikro-orm.config.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { approvedCharges, createPayment, eventually, mintToken, paymentOf, refundPayment, settled, type PaymentBody, type RefundBody } from '../support/payments.js';
import { startPrivateDatabase, type PrivateDatabase } from '../support/private-database.js';
import { startProcess, startWorker, type Program, type ServiceProcess } from '../support/process.js';
import { newMerchant, type Answer, type Merchant } from '../support/service.js';
import { testEnvironment } from '../support/settings.js';

/** What a server may have by default, and none of which we bear. */
const OTHER_DEFAULTS = ["SET GLOBAL tx_isolation = 'SERIALIZABLE'", 'SET GLOBAL innodb_lock_wait_timeout = 40', "SET GLOBAL time_zone = '-05:00'", "SET GLOBAL sql_mode = ''"];
const KILLS = 3;
const CLIENTS = 4;

let database: PrivateDatabase;
let sandbox: CulqiSandbox;
let service: ServiceProcess;
let worker: Program;
let shop: Merchant;
beforeAll(async () => {
  database = await startPrivateDatabase(OTHER_DEFAULTS);
  sandbox = await startCulqiSandbox({});
  const environment = testEnvironment(database.url, sandbox.url, { RESOLVE_SCHEDULE: '200ms,500ms,1s,2s,3s,5s' });
  service = await startProcess({ ...environment, WORKER: 'off' });
  worker = startWorker(environment);
  shop = await newMerchant(service.ask);
}, 90_000);
afterAll(async () => {
  await Promise.all([service.kill('SIGTERM'), worker.kill('SIGTERM')]);
  await database.close();
  await sandbox.close();
});

describe('a database server with defaults of its own (D10, D12)', () => {
  it('gives each connection of the pool READ COMMITTED, a short lock wait, UTC and strict mode', async () => {
    const [global] = await database.query<{ isolation: string; zone: string; wait: number }>('select @@global.tx_isolation as isolation, @@global.time_zone as zone, @@global.innodb_lock_wait_timeout as wait');
    expect(global).toEqual({ isolation: 'SERIALIZABLE', zone: '-05:00', wait: 40 });
    const pool = 6;
    const opened = await openDatabase(ormOptions(database.url, pool));
    try {
      let arrived = 0;
      let allThere: () => void = () => undefined;
      const meeting = new Promise<void>((resolve) => { allThere = resolve; });
      const sessions = await Promise.all(Array.from({ length: pool }, () => opened.transaction(async (transaction) => {
        const { rows } = await sql<{ id: number }>`select connection_id() as id, @@session.tx_isolation as isolation, @@session.innodb_lock_wait_timeout as wait, @@session.time_zone as zone, @@session.sql_mode like '%STRICT_ALL_TABLES%' as strict,
          abs(timestampdiff(second, now(3), utc_timestamp(3))) as off`.execute(transaction.acrossTenants());
        // All at once: none of them is another's connection.
        if (++arrived === pool) allThere();
        await meeting;
        return rows[0];
      })));
      expect(new Set(sessions.map((session) => session?.id)).size).toBe(pool);
      expect(sessions.map((session) => ({ ...session, id: 0 }))).toEqual(sessions.map(() => ({ id: 0, isolation: 'READ-COMMITTED', wait: 5, zone: '+00:00', strict: 1, off: 0 })));
    } finally {
      await opened.close();
    }
  });

  it('keeps the instants of a payment as they are', async () => {
    const before = Date.now();
    const { body } = await createPayment(service, shop.client, paymentOf(await mintToken(sandbox.url, shop)));
    expect(Math.abs(Date.parse(body.createdAt) - before)).toBeLessThan(10_000);
    const [row] = await database.query<{ created: string; sent: string }>("select date_format(p.created_at, '%Y-%m-%dT%H:%i:%s') as created, date_format(a.sent_at, '%Y-%m-%dT%H:%i:%s') as sent from payments p join payment_attempts a on a.payment_id = p.id where p.id = ?", [body.id]);
    for (const instant of [row?.created, row?.sent]) expect(Math.abs(Date.parse(`${instant}Z`) - before)).toBeLessThan(10_000);
  });
});

/** What a client was told, and what it asked to be told so. */
type Told = { key: string; body: Record<string, unknown>; answer: Answer<PaymentBody> | null; refund: { key: string; answer: Answer<RefundBody> | null } | null };

/** A client that pays and gives a part back, again and again, and never waits for the database. */
async function shopping(isOver: () => boolean): Promise<Told[]> {
  const told: Told[] = [];
  while (!isOver()) {
    const [key, body] = [randomUUID(), paymentOf(await mintToken(sandbox.url, shop))];
    const answer = await createPayment(service, shop.client, body, key);
    const one: Told = { key, body, answer: answer.status === 201 ? answer : null, refund: null };
    told.push(one);
    if (answer.status === 201 && answer.body.status === 'captured') {
      const refundKey = randomUUID();
      const refunded = await refundPayment(service, shop.client, answer.body.id, { amount: 900 }, refundKey);
      one.refund = { key: refundKey, answer: refunded.status === 201 ? refunded : null };
    } else if (![201, 503, 409].includes(answer.status)) throw new Error(`${answer.status} ${answer.text}`);
    await sleep(10);
  }
  return told;
}

describe('kill -9 of the database under load (D6)', () => {
  it('loses nothing that was answered (I14), and the service is there again without a restart', async () => {
    const chargesBefore = approvedCharges({ sandbox }, shop).length;
    let isOver = false;
    const clients = Array.from({ length: CLIENTS }, () => shopping(() => isOver));
    const running = Promise.all(clients);
    for (let kill = 0; kill < KILLS; kill++) {
      const count = approvedCharges({ sandbox }, shop).length;
      expect(await eventually(() => approvedCharges({ sandbox }, shop).length, (charges) => charges > count + 5)).toBeGreaterThan(count + 5);
      await database.kill();
      expect((await service.ask({ path: '/health/ready' })).status).toBe(503);
      expect((await service.ask({ path: '/health/live' })).status).toBe(200);
      await database.start();
      expect(await eventually(async () => (await service.ask({ path: '/health/ready' })).status, (status) => status === 200)).toBe(200);
    }
    isOver = true;
    const told = (await running).flat();
    const refused = told.filter(({ answer, refund }) => answer === null || refund?.answer === null);
    expect(told.length - refused.length).toBeGreaterThan(KILLS);
    expect(refused.length).toBeGreaterThan(0);

    const insisted = <Body>(again: () => Promise<Answer<Body>>): Promise<Answer<Body>> => eventually(again, ({ status }) => ![409, 503].includes(status));
    for (const { key, body, answer, refund } of told) {
      const end = await insisted(() => createPayment(service, shop.client, body, key));
      expect(end.status).toBe(201);
      if (answer !== null) expect(end.text).toBe(answer.text);
      const payment = await settled(service, shop.client, end.body.id);
      if (answer?.body.status === 'captured') expect(payment.status).toBe('captured');
      const charges = approvedCharges({ sandbox }, shop).filter(({ metadata }) => metadata.payment_id === payment.id);
      expect([payment.status, charges.length]).toEqual(charges.length === 0 ? ['failed', 0] : ['captured', 1]);
      if (refund === null) continue;
      const refunded = await insisted(() => refundPayment(service, shop.client, payment.id, { amount: 900 }, refund.key));
      if (refund.answer !== null) expect(refunded.text).toBe(refund.answer.text);
      const shown = await eventually(async () => (await service.ask<RefundBody>({ path: `/v1/refunds/${refunded.body.id}`, key: shop.client })).body, ({ status }) => status !== 'submitted');
      expect(shown.status).toBe('succeeded');
      expect(sandbox.books.refunds(shop.culqi.merchant).filter(({ charge_id: charge }) => charge === payment.gatewayReference)).toMatchObject([{ amount: 900 }]);
    }
    const [rows] = await database.query<{ n: number }>('select count(*) as n from payments where tenant_id = ?', [shop.tenantId]);
    expect(Number(rows?.n)).toBe(told.length + 1);
    expect(approvedCharges({ sandbox }, shop).length - chargesBefore).toBeLessThanOrEqual(told.length);
    expect(await database.query('select kind from tickets')).toEqual([]);
  }, 240_000);
});
