import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { ormOptions } from '../../src/mikro-orm.config.js';
import type { Database } from '../../src/platform/database/database.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { SILENCE_SECONDS, STATEMENT_MS_MAX } from '../../src/platform/database/pool.js';
import { startDatabaseProxy, type DatabaseProxy } from '../support/database-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let tables: TestDatabase;
let proxy: DatabaseProxy;
const opened: Database[] = [];
beforeAll(async () => {
  tables = await createTestDatabase();
  proxy = await startDatabaseProxy(tables.url);
});
afterAll(async () => {
  await proxy.close();
  await tables.drop();
});
afterEach(async () => {
  proxy.refuseWrites(null);
  proxy.silence(null);
  await Promise.all(opened.splice(0).map((database) => database.close()));
});

async function open(statementMsMax?: number): Promise<Database> {
  const database = await openDatabase(ormOptions(proxy.url, 1, statementMsMax));
  opened.push(database);
  return database;
}
const answer = async (database: Database): Promise<unknown> => (await sql<{ n: number }>`select 42 as n`.execute(database.acrossTenants())).rows[0]?.n;
const waitTimeout = async (database: Database): Promise<unknown> => (await sql<{ Value: string }>`show session variables like 'wait_timeout'`.execute(database.acrossTenants())).rows[0]?.Value;

describe('a new connection', () => {
  it.each([
    ['is refused', () => { proxy.refuseWrites(1193, /^SET SESSION/); }],
    ['is not answered', () => { proxy.silence(/^SET SESSION innodb/); }],
  ])('that cannot be set, as it %s, is given up, and whoever waits for it is told (D7, D10)', async (_how, harm) => {
    const database = await open();
    harm();
    const beganMs = performance.now();
    await expect(answer(database)).rejects.toThrow();
    expect(performance.now() - beganMs).toBeLessThan(3_000);
    expect(database.poolState().all).toBe(0);
    proxy.refuseWrites(null);
    proxy.silence(null);
    expect(await answer(database)).toBe(42);
  }, 20_000);

  it('of a service is ended by the server when it falls silent, and one of a command is not (D2)', async () => {
    expect(await waitTimeout(await open(STATEMENT_MS_MAX))).toBe(String(SILENCE_SECONDS));
    expect(await waitTimeout(await open())).not.toBe(String(SILENCE_SECONDS));
  });
});

it('a connection that the server ended while nobody used it costs nothing', async () => {
  const database = await open(STATEMENT_MS_MAX);
  await sql`set session wait_timeout = 1`.execute(database.acrossTenants());
  await sleep(2_500);
  expect(await answer(database)).toBe(42);
});
