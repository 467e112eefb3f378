import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { startDatabaseProxy, type DatabaseProxy } from '../support/database-proxy.js';
import { createPayment, mintToken, paymentOf } from '../support/payments.js';
import { newMerchant, startInstance, type Merchant } from '../support/service.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let tables: TestDatabase;
let sandbox: CulqiSandbox;
let proxy: DatabaseProxy;
let instance: Awaited<ReturnType<typeof startInstance>>;
let shop: Merchant;
beforeAll(async () => {
  tables = await createTestDatabase();
  sandbox = await startCulqiSandbox({});
  proxy = await startDatabaseProxy(tables.url);
  instance = await startInstance(proxy.url, sandbox.url);
  shop = await newMerchant(instance.ask);
});
afterAll(async () => {
  await instance.app.close();
  await proxy.close();
  await sandbox.close();
  await tables.drop();
});

describe('while the database is down (D5)', () => {
  it('the service says so at once, calls no PSP, and goes on by itself afterwards', async () => {
    const body = paymentOf(await mintToken(sandbox.url, shop));
    const key = randomUUID();
    expect(await instance.ask({ path: '/health/ready' })).toMatchObject({ status: 200, body: { status: 'ok' } });

    proxy.setDown(true);
    const startedMs = Date.now();
    const refused = await createPayment(instance, shop.client, body, key);
    expect(Date.now() - startedMs).toBeLessThan(1_000);
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' }, body: { code: 'unavailable' } });
    expect(await instance.ask({ path: '/health/ready' })).toMatchObject({ status: 503, body: { status: 'unavailable' } });
    expect(await instance.ask({ path: '/health/live' })).toMatchObject({ status: 200 });
    expect(sandbox.books.charges(shop.culqi.merchant)).toEqual([]);

    proxy.setDown(false);
    const made = await createPayment(instance, shop.client, body, key);
    expect(made).toMatchObject({ status: 201, body: { status: 'captured' } });
    expect(await instance.ask({ path: '/health/ready' })).toMatchObject({ status: 200 });
  });

  it('what the PSP booked meanwhile is found out afterwards', async () => {
    const body = paymentOf(await mintToken(sandbox.url, shop));
    const key = randomUUID();
    const before = sandbox.books.charges(shop.culqi.merchant).length;
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'delayed', delayMs: 300 });
    const making = createPayment(instance, shop.client, body, key);
    await new Promise((resolve) => { setTimeout(resolve, 150); });
    proxy.setDown(true);
    expect(await making).toMatchObject({ status: 503 });
    proxy.setDown(false);
    for (let i = 0; i < 100; i++) {
      const again = await createPayment(instance, shop.client, body, key);
      if (again.status === 201) {
        expect(again.body).toMatchObject({ status: 'captured' });
        break;
      }
      expect(again.status).toBe(409);
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
    expect(sandbox.books.charges(shop.culqi.merchant)).toHaveLength(before + 1);
  });
});
