import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { approvedCharges, createPayment, mintToken, paymentOf, refundPayment, settled, type PaymentBody } from '../support/payments.js';
import { startProcess, startWorker, type Program, type ServiceProcess } from '../support/process.js';
import { newMerchant, type Merchant } from '../support/service.js';
import { testEnvironment } from '../support/settings.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const MINUTE_MS = 60_000;

/** A process whose wall clock is wrong from its start on; its monotonic clock is right, as in life. */
const clockOff = (ms: number): Record<string, string> => {
  const shift = `const Real=Date;globalThis.Date=class extends Real{constructor(...a){a.length===0?super(Real.now()+${ms}):super(...a)}static now(){return Real.now()+${ms}}};`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(shift)}` };
};

let tables: TestDatabase;
let sandbox: CulqiSandbox;
let instances: ServiceProcess[];
let workers: Program[];
let shop: Merchant;
beforeAll(async () => {
  tables = await createTestDatabase();
  sandbox = await startCulqiSandbox({});
  const environment = (ms: number) => ({ ...testEnvironment(tables.url, sandbox.url), ...clockOff(ms) });
  instances = await Promise.all([10, -10].map((minutes) => startProcess({ ...environment(minutes * MINUTE_MS), WORKER: 'off' })));
  // Three at once: what recurs is there once all the same (C8).
  workers = [-10, 0, 10].map((minutes) => startWorker(environment(minutes * MINUTE_MS)));
  shop = await newMerchant((instances[0] as ServiceProcess).ask);
}, 60_000);
afterAll(async () => {
  await Promise.all([...instances, ...workers].map((program) => program.kill('SIGTERM')));
  await sandbox.close();
  await tables.drop();
});

describe('instances and workers whose clocks differ by twenty minutes (C9)', () => {
  it.each([0, 1])('take a payment once, also when its reply is lost (instance %d)', async (at) => {
    const [instance, other] = [instances[at] as ServiceProcess, instances[1 - at] as ServiceProcess];
    const before = approvedCharges({ sandbox }, shop).length;
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking' });
    const [key, body] = [randomUUID(), paymentOf(await mintToken(sandbox.url, shop))];
    const lost = await createPayment(instance, shop.client, body, key);
    expect(lost.body.status).toBe('processing');
    expect(await settled(other, shop.client, lost.body.id)).toMatchObject({ status: 'captured' });
    expect((await createPayment(other, shop.client, body, key)).text).toBe(lost.text);
    expect((await refundPayment(other, shop.client, lost.body.id, { amount: 100 })).body).toMatchObject({ status: 'succeeded' });
    expect(approvedCharges({ sandbox }, shop)).toHaveLength(before + 1);
  });

  it.each([0, 1])('fail one that never arrived, and neither sooner nor later than is proven (instance %d)', async (at) => {
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_before_booking' });
    const { body } = await createPayment(instances[at] as ServiceProcess, shop.client, paymentOf(await mintToken(sandbox.url, shop)));
    expect(await settled(instances[1 - at] as ServiceProcess, shop.client, body.id)).toMatchObject({ status: 'failed', failure: { code: 'gateway_unavailable' } });
  });

  it('do not let a payment that waits expire early, and hold keys no longer than their lease', async () => {
    const waiting = await createPayment(instances[1] as ServiceProcess, shop.client, { amount: 5_000, currency: 'PEN', confirm: false, customer: { email: 'ana@ejemplo.pe' } });
    await sleep(500);
    const read = await (instances[0] as ServiceProcess).ask<PaymentBody>({ path: `/v1/payments/${waiting.body.id}`, key: shop.client });
    expect(read.body.status).toBe('created');
    const [job] = await tables.query<{ hours: number }>("select timestampdiff(minute, now(3), run_at) / 60 as hours from jobs where kind = 'payments.expire'");
    expect(Number(job?.hours)).toBeCloseTo(24, 0);
  });

  it('have one job of each kind that recurs (C8)', async () => {
    const recurring = await tables.query<{ n: number }>('select unique_key, count(*) as n from jobs where unique_key in (?, ?) group by unique_key', ['payments.look_over', 'card_data.scan']);
    expect(recurring.map(({ n }) => Number(n))).toEqual([1, 1]);
  });
});
