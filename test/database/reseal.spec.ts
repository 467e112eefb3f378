import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createConnection } from 'mysql2/promise';
import { ormOptions } from '../../src/mikro-orm.config.js';
import { reseal } from '../../src/platform/crypto/reseal.js';
import { SecretBox } from '../../src/platform/crypto/secret-box.js';
import type { Database } from '../../src/platform/database/database.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const [old, next] = [{ kid: 'old', key: randomBytes(32) }, { kid: 'new', key: randomBytes(32) }];
const PLACE = { table: 'gateway_accounts', column: 'credentials_sealed' };

let tables: TestDatabase;
let database: Database;
beforeAll(async () => {
  tables = await createTestDatabase();
  database = await openDatabase(ormOptions(tables.url, 2));
});
afterAll(async () => {
  await database.close();
  await tables.drop();
});

it('what changes while keys are rotated stays as it was changed', async () => {
  for (const [version, id] of ['gwa_1', 'gwa_2', 'gwa_3'].entries()) {
    await tables.query(`insert into gateway_accounts (id, tenant_id, gateway, version, environment, enabled, credentials_sealed, created_at) values (?, 'ten_a', 'culqi', ?, 'sandbox', 1, ?, now(3))`,
      [id, version, new SecretBox([old]).seal(`secret of ${id}`, 'ten_a')]);
  }
  // Rotation has read all three and waits for the first, which somebody holds; meanwhile the second is set anew.
  const holder = await createConnection({ uri: tables.url.replace(/^mariadb:/, 'mysql:') });
  await holder.beginTransaction();
  await holder.query("select id from gateway_accounts where id = 'gwa_1' for update");
  const rotation = reseal(database, new SecretBox([next, old]), PLACE);
  await sleep(300);
  const changed = new SecretBox([next]).seal('set anew', 'ten_a');
  await tables.query("update gateway_accounts set credentials_sealed = ? where id = 'gwa_2'", [changed]);
  await holder.rollback();
  await holder.end();

  expect(await rotation).toEqual({ resealed: 2, left: 0 });
  const rows = await tables.query<{ id: string; sealed: string }>('select id, credentials_sealed as sealed from gateway_accounts order by id');
  expect(rows.map(({ sealed }) => new SecretBox([next]).open(sealed, 'ten_a'))).toEqual(['secret of gwa_1', 'set anew', 'secret of gwa_3']);
  expect(rows[1]?.sealed).toBe(changed);
});
