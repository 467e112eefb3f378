import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/mysql';
import { MIGRATIONS } from '../../migrations/migrations.js';
import { ormOptions } from '../../src/mikro-orm.config.js';
import { migrate } from '../../src/platform/database/migrator.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let tables: TestDatabase;
beforeAll(async () => { tables = await createTestDatabase(); });
afterAll(() => tables.drop());

const pendingChanges = async (): Promise<string> => {
  const orm = await MikroORM.init(ormOptions(tables.url, 2));
  try {
    return (await orm.schema.getUpdateSchemaSQL({ wrap: false, safe: false })).split('\n').filter((line) => !/`?migrations`?/.test(line)).join('\n').trim();
  } finally {
    await orm.close(true);
  }
};

describe('the migrated schema', () => {
  it('is what the entities say', async () => {
    expect(await pendingChanges()).toBe('');
  });

  it('would show a difference if there was one', async () => {
    await tables.query('alter table payments modify description varchar(10) null');
    expect(await pendingChanges()).toContain('description');
    await tables.query('alter table payments modify description varchar(255) null');
  });

  it('has a tenant at the head of every index that a tenant\'s request uses', async () => {
    const rows = await tables.query<{ name: string; first: string }>(`
      select concat(table_name, '.', index_name) as name, column_name as first from information_schema.statistics
      where table_schema = database() and seq_in_index = 1 and index_name <> 'PRIMARY' and table_name <> 'migrations'`);
    const elsewhere = rows.filter(({ first }) => first !== 'tenant_id').map(({ name }) => name);
    // The job runner and the completer work for all tenants; a key is looked up before its tenant is known.
    expect(elsewhere.sort()).toEqual(['api_keys.api_keys_hash', 'idempotency_keys.idempotency_keys_attempt', 'idempotency_keys.idempotency_keys_created', 'jobs.jobs_lane', 'jobs.jobs_run_at', 'jobs.jobs_unique_key']);
  });
});

describe('migrations', () => {
  it('run once, however many start them at once (C5)', async () => {
    await tables.query('drop table migrations');
    const runs = await Promise.all([1, 2, 3].map(() => migrate(tables.url, ormOptions(tables.url, 2))));
    expect(runs.map((names) => names.length).sort()).toEqual([0, 0, MIGRATIONS.length]);
  });

  it('start over after a run that was killed in the middle', async () => {
    await tables.query('drop table migrations');
    await tables.query('drop table tickets');
    expect(await migrate(tables.url, ormOptions(tables.url, 2))).toHaveLength(MIGRATIONS.length);
    expect(await pendingChanges()).toBe('');
  });
});
