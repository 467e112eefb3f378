import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createConnection, type Connection } from 'mysql2/promise';
import { ormOptions } from '../../src/mikro-orm.config.js';
import { migrate } from '../../src/platform/database/migrator.js';
import { grantService } from '../../src/platform/database/service-grants.js';
import { createPayment, mintToken, paymentOf } from '../support/payments.js';
import { newMerchant, startInstance, type Merchant } from '../support/service.js';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { rememberCanaries } from '../support/settings.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const PASSWORD = `canary_${randomBytes(9).toString('hex')}`;
const SERVICE = `service_${randomBytes(4).toString('hex')}`;
const MIGRATOR = `migrator_${randomBytes(4).toString('hex')}`;

let tables: TestDatabase;
let sandbox: CulqiSandbox;
let serviceUrl: string;
let migratorUrl: string;
let asService: Connection;
let instance: Awaited<ReturnType<typeof startInstance>>;
let merchant: Merchant;

const urlOf = (user: string): string => {
  const url = new URL(tables.url);
  [url.username, url.password] = [user, PASSWORD];
  return url.href;
};

beforeAll(async () => {
  rememberCanaries([PASSWORD]);
  tables = await createTestDatabase();
  const schema = new URL(tables.url).pathname.slice(1);
  for (const user of [SERVICE, MIGRATOR]) await tables.query(`create user '${user}'@'%' identified by '${PASSWORD}'`);
  await tables.query(`grant all on ${schema}.* to '${MIGRATOR}'@'%' with grant option`);
  [serviceUrl, migratorUrl] = [urlOf(SERVICE), urlOf(MIGRATOR)];
  // As `npm run migrate` does it.
  await migrate(migratorUrl, ormOptions(migratorUrl, 2));
  await grantService(migratorUrl, serviceUrl);
  asService = await createConnection({ uri: serviceUrl.replace(/^mariadb:/, 'mysql:') });
  sandbox = await startCulqiSandbox({});
  instance = await startInstance(serviceUrl, sandbox.url);
  merchant = await newMerchant(instance.ask);
}, 30_000);
afterAll(async () => {
  await instance.app.close();
  await sandbox.close();
  await asService.end();
  for (const user of [SERVICE, MIGRATOR]) await tables.query(`drop user '${user}'@'%'`);
  await tables.drop();
});

it('the service lives with a user that may read and write rows alone', async () => {
  expect((await instance.ask({ path: '/health/ready' })).status).toBe(200);
  const answer = await createPayment(instance, merchant.client, paymentOf(await mintToken(sandbox.url, merchant)));
  expect(answer).toMatchObject({ status: 201, body: { status: 'captured' } });
  expect((await instance.ask({ path: `/v1/admin/tenants/${merchant.tenantId}/api-keys`, key: merchant.admin })).status).toBe(200);
});

it.each([
  'create table intruder (id int)', 'alter table payments add column intruder int', 'drop table payments', 'truncate table payments', 'create index intruder on payments (version)',
  'update audit_entries set actor = "somebody"', 'delete from audit_entries', 'update migrations set name = "x"', 'delete from migrations',
])('that user may not %s', async (statement) => {
  await expect(asService.query(statement)).rejects.toMatchObject({ code: expect.stringMatching(/^ER_(TABLEACCESS|DBACCESS)_DENIED_ERROR$/) as unknown });
});

it('a migrator who may not grant says what an administrator must run', async () => {
  const schema = new URL(tables.url).pathname.slice(1);
  await tables.query(`revoke grant option on ${schema}.* from '${MIGRATOR}'@'%'`);
  const outcome = await grantService(migratorUrl, serviceUrl);
  expect(outcome?.refusal).toMatch(/denied/i);
  expect(outcome?.statements).toContain(`grant select, insert on \`${schema}\`.\`audit_entries\` to '${SERVICE}'@'%'`);
});

it('one user for both is left as it is', async () => {
  expect(await grantService(tables.url, tables.url)).toBeNull();
});
