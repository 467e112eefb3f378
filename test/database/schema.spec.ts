import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/mysql';
import { MIGRATIONS } from '../../migrations/migrations.js';
import { ormOptions } from '../../src/mikro-orm.config.js';
import { migrate } from '../../src/platform/database/migrator.js';
import { startMigration, startProcess } from '../support/process.js';
import { testEnvironment } from '../support/settings.js';
import { startStepProxy } from '../support/step-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let tables: TestDatabase;
beforeAll(async () => { tables = await createTestDatabase(); });
afterAll(() => tables.drop());

const pendingChanges = async (url = tables.url): Promise<string> => {
  const orm = await MikroORM.init(ormOptions(url, 2));
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

describe('the migrate command', () => {
  /** Half of a migration: some tables are there, some columns are not, and nothing of it is recorded. */
  const HALF = { statement: /create table if not exists webhook_events/, migration: 'Migration20261124060000_refunds' };
  const UP_TO_DATE = { code: 0, printed: 'The schema is up to date.\n' };

  /** An empty schema beside the test's own. */
  const inEmptySchema = async (work: (url: string, name: string) => Promise<void>): Promise<void> => {
    const url = new URL(tables.url);
    url.pathname += '_empty';
    const name = url.pathname.slice(1);
    await tables.query(`create database ${name}`);
    await work(url.href, name).finally(() => tables.query(`drop database ${name}`));
  };
  const environment = (url: string) => testEnvironment(url, 'http://127.0.0.1:9');
  const tablesIn = (name: string) => tables.query('select table_name from information_schema.tables where table_schema = ?', [name]);

  it('started three times at once, and killed where it is at work, makes the whole schema all the same, once (C5)', () => inEmptySchema(async (url, name) => {
    const proxies = await Promise.all([1, 2, 3].map(() => startStepProxy(url)));
    const runs = proxies.map((proxy) => startMigration(environment(proxy.url)));
    for (const [at, proxy] of proxies.entries()) {
      proxy.strikeAt(1, 'after', () => {
        runs[at]?.signal('SIGKILL');
        // The others go on.
        for (const each of proxies) each.strikeAt(Infinity, 'after', () => undefined);
      }, HALF.statement);
    }
    const ends = await Promise.all(runs.map(({ ended }) => ended));
    await Promise.all(proxies.map((proxy) => proxy.close()));
    expect(ends.sort((one, other) => one.printed.localeCompare(other.printed))).toEqual([{ code: null, printed: '' }, { code: 0, printed: expect.stringMatching(`^Migrated: ${HALF.migration}, `) as unknown }, UP_TO_DATE]);

    expect(await startMigration(environment(url)).ended).toEqual(UP_TO_DATE);
    expect(await tables.query(`select name from ${name}.migrations order by id`)).toEqual(MIGRATIONS.map((migration) => ({ name: migration.name })));
    expect(await pendingChanges(url)).toBe('');
  }), 60_000);

  it('is never run by the service: over an empty schema that is not ready, makes nothing, and waits for it (C5)', () => inEmptySchema(async (url, name) => {
    const service = await startProcess(environment(url), '/health/live');
    try {
      expect(await service.ask({ path: '/health/ready' })).toMatchObject({ status: 503, body: { checks: { database: { status: 'ok' }, schema: { status: 'failed' } } } });
      expect(await tablesIn(name)).toEqual([]);
      expect(await startMigration(environment(url)).ended).toMatchObject({ code: 0 });
      expect(await service.ask({ path: '/health/ready' })).toMatchObject({ status: 200 });
    } finally {
      expect(await service.kill('SIGTERM')).toBe(0);
    }
  }), 60_000);
});
