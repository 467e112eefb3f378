import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { SEALED_COLUMNS } from '../../src/sealed-columns.js';
import { createPayment, mintToken, paymentOf, readPayment } from '../support/payments.js';
import { newMerchant, startInstance, startService, type Merchant, type Service } from '../support/service.js';
import { rememberCanaries, testEnvironment } from '../support/settings.js';

const [OLD, NEW] = ['canary-old-key-of-32-bytes-long!', 'canary-new-key-of-32-bytes-long!'].map((text) => Buffer.from(text).toString('base64')) as [string, string];

let service: Service;
beforeAll(async () => {
  rememberCanaries([OLD, NEW]);
  service = await startService({ ENCRYPTION_KEYS: `old:${OLD}` });
}, 30_000);
afterAll(() => service.close());

/** `npm run keys:rotate`, compiled. */
const rotate = (keys: string): Promise<{ code: number; output: string }> => new Promise((resolve) => {
  const env = testEnvironment(service.tables.url, service.sandbox.url, { ENCRYPTION_KEYS: keys });
  execFile(process.execPath, [join(import.meta.dirname, '../../dist/src/rotate-keys.js')], { env }, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
  });
});
const instanceWith = (keys: string) => startInstance(service.tables.url, service.sandbox.url, { ENCRYPTION_KEYS: keys });
const kids = async (): Promise<Set<string | undefined>> => {
  const texts = await Promise.all(SEALED_COLUMNS.map(({ table, column }) => service.tables.query<{ sealed: string }>(`select ${column} as sealed from ${table} where ${column} is not null`)));
  return new Set(texts.flat().map(({ sealed }) => sealed.split('.')[1]));
};

it('every sealed column of the schema is gone through', async () => {
  const columns = await service.tables.query<{ place: string }>(
    "select concat(table_name, '.', column_name) as place from information_schema.columns where table_schema = database() and column_name like '%\\_sealed' order by 1");
  expect(columns.map(({ place }) => place)).toEqual(SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`).sort());
});

it('keys are rotated while requests run, and none of them fails', async () => {
  const shops = await Promise.all(Array.from({ length: 4 }, () => newMerchant(service.ask)));
  // A payment that waits to be confirmed keeps its tokens sealed.
  const waitingShop = shops[0] as Merchant;
  const waiting = await createPayment(service, waitingShop.client, paymentOf(await mintToken(service.sandbox.url, waitingShop), { confirm: false }));
  expect(waiting).toMatchObject({ status: 201, body: { status: 'created' } });
  expect(await kids()).toEqual(new Set(['old']));

  // First every instance learns to open with the new key, then one after the other seals with it.
  const both = await instanceWith(`old:${OLD},new:${NEW}`);
  const next = await instanceWith(`new:${NEW},old:${OLD}`);
  let stopped = false;
  const statuses: number[] = [];
  const traffic = shops.map(async (shop, index) => {
    for (let turn = 0; !stopped; turn++) {
      const instance = [both, next][turn % 2]!;
      const answer = await createPayment(instance, shop.client, paymentOf(await mintToken(service.sandbox.url, shop)));
      statuses.push(answer.body.status === 'captured' ? answer.status : 0);
      const account = await next.ask({
        method: 'PUT', path: `/v1/admin/tenants/${shop.tenantId}/gateway-accounts/culqi`, key: shop.admin,
        body: { credentials: { publicKey: shop.culqi.publicKey, secretKey: shop.culqi.secretKey }, enabled: true, environment: 'sandbox' },
      });
      if (turn % 4 === index) statuses.push(account.status);
    }
  });
  const outcomes = [];
  for (let run = 0; run < 3; run++) {
    outcomes.push(await rotate(`new:${NEW},old:${OLD}`));
    await sleep(50);
  }
  stopped = true;
  await Promise.all(traffic);
  expect(statuses.length).toBeGreaterThan(20);
  expect(new Set(statuses)).toEqual(new Set([200, 201]));
  expect(outcomes[0]?.output).toMatch(/gateway_accounts\.credentials_sealed: [1-9]\d* sealed anew/);
  expect(outcomes[0]?.output).toMatch(/payments\.tokens_sealed: [1-9]\d* sealed anew/);
  await both.app.close();

  const last = await rotate(`new:${NEW},old:${OLD}`);
  expect(last).toMatchObject({ code: 0 });
  expect(last.output).toContain('may be removed');
  expect(await kids()).toEqual(new Set(['new']));
  await next.app.close();

  const newAlone = await instanceWith(`new:${NEW}`);
  try {
    const confirmed = await newAlone.ask<{ status: string }>({ method: 'POST', path: `/v1/payments/${waiting.body.id}/confirm`, key: waitingShop.client, body: {}, headers: { 'idempotency-key': 'after-rotation' } });
    expect(confirmed).toMatchObject({ status: 200, body: { status: 'captured' } });
    expect((await readPayment(newAlone, waitingShop.client, waiting.body.id)).status).toBe('captured');
  } finally {
    await newAlone.app.close();
  }
}, 60_000);

it('rotation stops at what no key opens, names its row, and leaves it as it is', async () => {
  const shop = await newMerchant(service.ask); // sealed with the old key
  const outcome = await rotate(`new:${NEW}`);
  expect(outcome.code).toBe(1);
  expect(outcome.output).toMatch(/gateway_accounts gwa_\w+ opens with none of ENCRYPTION_KEYS/);
  expect(outcome.output).not.toContain(OLD);
  expect(await service.tables.query('select id from gateway_accounts where tenant_id = ? and credentials_sealed like \'v1.old.%\'', [shop.tenantId])).toHaveLength(1);
});

it('credentials that were moved to another tenant open for nobody', async () => {
  const [victim, thief] = await Promise.all([newMerchant(service.ask), newMerchant(service.ask)]);
  await service.tables.query(
    'update gateway_accounts a join gateway_accounts b on b.tenant_id = ? set a.credentials_sealed = b.credentials_sealed where a.tenant_id = ?', [victim.tenantId, thief.tenantId]);
  const answer = await createPayment(service, thief.client, paymentOf(await mintToken(service.sandbox.url, thief)));
  expect(answer.body).toMatchObject({ status: 'failed', failure: { code: 'gateway_misconfigured' } });
  expect(service.sandbox.books.charges(victim.culqi.merchant)).toEqual([]);
});
