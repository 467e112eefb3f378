import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { startBalancer } from '../support/balancer.js';
import { mintToken, paymentOf, type PaymentBody } from '../support/payments.js';
import { freePort } from '../support/ports.js';
import { fetcher, startProcess, type ServiceProcess } from '../support/process.js';
import { newMerchant } from '../support/service.js';
import { testEnvironment } from '../support/settings.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const CLIENTS = 8;

let tables: TestDatabase;
let sandbox: CulqiSandbox;
beforeAll(async () => {
  tables = await createTestDatabase();
  sandbox = await startCulqiSandbox({});
}, 30_000);
afterAll(async () => {
  await sandbox.close();
  await tables.drop();
});

it('two instances are restarted one after the other, and no request fails', async () => {
  const ports = [await freePort(), await freePort()];
  const start = (port: number): Promise<ServiceProcess> => startProcess({ ...testEnvironment(tables.url, sandbox.url, { DRAIN_MS: '500', DATABASE_POOL: '10' }), PORT: String(port) });
  const instances = await Promise.all(ports.map(start));
  const balancer = await startBalancer(instances.map(({ url }) => url));
  while (balancer.ready() < 2) await sleep(20);
  const ask = fetcher(balancer.url);
  const shop = await newMerchant(ask);

  // Clients that never ask twice.
  let stopped = false;
  const failures: string[] = [];
  const paid: string[] = [];
  const client = async (): Promise<void> => {
    while (!stopped) {
      const token = await mintToken(sandbox.url, shop);
      try {
        const made = await ask<PaymentBody>({ method: 'POST', path: '/v1/payments', key: shop.client, body: paymentOf(token), headers: { 'idempotency-key': randomUUID() } });
        if (made.status !== 201 || made.body.status !== 'captured') failures.push(`POST ${made.status} ${made.text.slice(0, 200)}`);
        const read = await ask<PaymentBody>({ path: `/v1/payments/${made.body.id}`, key: shop.client });
        if (read.status !== 200 || read.body.status !== 'captured') failures.push(`GET ${read.status} ${read.text.slice(0, 200)}`);
        paid.push(made.body.id);
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  const before: number[] = [];
  try {
    for (const [index, port] of ports.entries()) {
      const earlier = paid.length;
      for (const endsAt = Date.now() + 15_000; paid.length <= earlier + CLIENTS && Date.now() < endsAt;) await sleep(50);
      before.push(paid.length);
      expect(await instances[index]!.kill('SIGTERM')).toBe(0);
      instances[index] = await start(port);
      while (balancer.ready() < 2) await sleep(20);
    }
    for (const endsAt = Date.now() + 15_000; paid.length <= (before[1] ?? 0) + CLIENTS && Date.now() < endsAt;) await sleep(50);
  } finally {
    stopped = true;
    await Promise.all(clients);
    await balancer.close();
    await Promise.all(instances.map((instance) => instance.kill('SIGTERM')));
  }
  expect(failures).toEqual([]);
  expect(before[0]).toBeGreaterThan(0);
  expect(paid.length).toBeGreaterThan((before[1] ?? 0) + CLIENTS);
  expect(sandbox.books.charges(shop.culqi.merchant).filter(({ approved }) => approved)).toHaveLength(paid.length);
}, 60_000);
