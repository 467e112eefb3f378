import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { ormOptions } from '../../src/mikro-orm.config.js';
import { metAnotherTransaction } from '../../src/platform/database/database-errors.js';
import type { Database } from '../../src/platform/database/database.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { checkSession } from '../../src/platform/database/readiness.js';
import { eventually } from '../support/payments.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let tables: TestDatabase;
let database: Database;
beforeAll(async () => {
  tables = await createTestDatabase();
  database = await openDatabase(ormOptions(tables.url, 4));
  await tables.query('create table counters (id int primary key, n int not null)');
});
afterAll(async () => {
  await database.close();
  await tables.drop();
});

const count = async (id: number): Promise<number | undefined> => (await tables.query<{ n: number }>('select n from counters where id = ?', [id]))[0]?.n;

describe('a transaction', () => {
  it('that meets a deadlock runs again from its reads, and nobody hears of it (D1)', async () => {
    await tables.query('insert into counters values (1, 0), (2, 0)');
    let runs = 0;
    let bothLocked: () => void = () => undefined;
    const meeting = new Promise<void>((resolve) => { bothLocked = resolve; });
    let waiting = 0;
    const crossing = (first: number, second: number) => database.transaction(async (transaction) => {
      runs++;
      const connection = transaction.acrossTenants();
      await sql`update counters set n = n + 1 where id = ${first}`.execute(connection);
      if (++waiting === 2) bothLocked();
      await meeting;
      await sql`update counters set n = n + 1 where id = ${second}`.execute(connection);
    });
    await Promise.all([crossing(1, 2), crossing(2, 1)]);
    expect(runs).toBeGreaterThan(2);
    expect([await count(1), await count(2)]).toEqual([2, 2]);
  });

  it('that waits too long for a row is rolled back whole, and runs again (D2, T13)', async () => {
    await tables.query('insert into counters values (6, 0), (7, 0)');
    await tables.query('start transaction');
    await tables.query('select n from counters where id = 7 for update');
    let runs = 0;
    const waiting = database.transaction(async (transaction) => {
      runs++;
      await sql`update counters set n = n + 1 where id = 6`.execute(transaction.acrossTenants());
      await sql`update counters set n = n + 1 where id = 7`.execute(transaction.acrossTenants());
    });
    try {
      // Once the wait for a row lock that the pool sets is over; MySQL looks at its waits once a second.
      await eventually(() => runs, (begun) => begun === 2);
    } finally {
      await tables.query('rollback');
    }
    await waiting;
    expect([await count(6), await count(7)]).toEqual([1, 1]);
  }, 30_000);

  it('that waits for a row longer than all its tries gives up in bounded time, with nothing written (D1, D2)', async () => {
    await tables.query('insert into counters values (8, 0), (9, 0)');
    // One connection, whose waits are the shortest that both databases know.
    const impatient = await openDatabase(ormOptions(tables.url, 1));
    await sql`set session innodb_lock_wait_timeout = 1`.execute(impatient.acrossTenants());
    await tables.query('start transaction');
    await tables.query('select n from counters where id = 9 for update');
    let runs = 0;
    const trying = impatient.transaction(async (transaction) => {
      runs++;
      await sql`update counters set n = n + 1 where id = 8`.execute(transaction.acrossTenants());
      await sql`update counters set n = n + 1 where id = 9`.execute(transaction.acrossTenants());
    }).then(() => 'committed', (error: unknown) => error);
    try {
      expect(await Promise.race([trying, sleep(80_000, 'still trying', { ref: false })])).toMatchObject({ errno: 1205 });
    } finally {
      await tables.query('rollback');
      await trying;
      await impatient.close();
    }
    expect(runs).toBeGreaterThan(1);
    expect([await count(8), await count(9)]).toEqual([0, 0]);
  }, 100_000);

  it('whose row was changed since its snapshot was taken runs again from its reads (T12)', async () => {
    // MariaDB's alone: MySQL overwrites what was changed since.
    const [setting] = await tables.query("show variables like 'innodb_snapshot_isolation'");
    if (setting === undefined) {
      expect(metAnotherTransaction(Object.assign(new Error('Record has changed since last read'), { errno: 1020 }))).toBe(true);
      return;
    }
    await tables.query('insert into counters values (10, 0)');
    const strict = await openDatabase(ormOptions(tables.url, 1));
    await sql`set session innodb_snapshot_isolation = 1`.execute(strict.acrossTenants());
    await sql`set session transaction isolation level repeatable read`.execute(strict.acrossTenants());
    const read: (number | undefined)[] = [];
    const refusals: unknown[] = [];
    try {
      await strict.transaction(async (transaction) => {
        read.push((await sql<{ n: number }>`select n from counters where id = 10`.execute(transaction.acrossTenants())).rows[0]?.n);
        if (read.length === 1) await tables.query('update counters set n = 5 where id = 10');
        await sql`update counters set n = n + 1 where id = 10`.execute(transaction.acrossTenants()).catch((error: unknown) => { refusals.push(error); throw error; });
      });
    } finally {
      await strict.close();
    }
    expect(refusals).toMatchObject([{ errno: 1020 }]);
    expect([read, await count(10)]).toEqual([[0, 5], 6]);
  });

  it('that fails leaves nothing of itself behind (T13)', async () => {
    await expect(database.transaction(async (transaction) => {
      await sql`insert into counters values (3, 1)`.execute(transaction.acrossTenants());
      await sql`insert into counters values (3, 1)`.execute(transaction.acrossTenants());
    })).rejects.toMatchObject({ errno: 1062 });
    expect(await count(3)).toBeUndefined();
  });

  it('is isolated READ COMMITTED and in UTC, whatever the server says (D10, D12)', async () => {
    await checkSession(database);
    await tables.query('insert into counters values (4, 0)');
    await database.transaction(async (transaction) => {
      const read = async () => (await sql<{ n: number }>`select n from counters where id = 4`.execute(transaction.acrossTenants())).rows[0]?.n;
      expect(await read()).toBe(0);
      await tables.query('update counters set n = 9 where id = 4');
      expect(await read()).toBe(9);
    });
  });

  it('is so on each connection of the pool, with a short lock wait and in strict mode (D10, D12)', async () => {
    const connections = 4;
    let arrived = 0;
    let allThere: () => void = () => undefined;
    const meeting = new Promise<void>((resolve) => { allThere = resolve; });
    const sessions = await Promise.all(Array.from({ length: connections }, () => database.transaction(async (transaction) => {
      const { rows: [own] } = await sql<{ id: number }>`select connection_id() as id`.execute(transaction.acrossTenants());
      const { rows } = await sql<{ Variable_name: string; Value: string }>`
        show session variables where Variable_name in ('tx_isolation', 'transaction_isolation', 'innodb_lock_wait_timeout', 'time_zone', 'sql_mode')`.execute(transaction.acrossTenants());
      // All at once: none of them is another's connection.
      if (++arrived === connections) allThere();
      await meeting;
      return { id: own?.id, ...Object.fromEntries(rows.map(({ Variable_name: name, Value: value }) => [name.replace(/^tx_/, 'transaction_'), value])) };
    })));
    expect(new Set(sessions.map(({ id }) => id)).size).toBe(connections);
    for (const session of sessions) {
      expect(session).toMatchObject({ transaction_isolation: 'READ-COMMITTED', innodb_lock_wait_timeout: '5', time_zone: '+00:00', sql_mode: expect.stringContaining('STRICT_ALL_TABLES') as unknown });
    }
  });

  it('whose connection is killed runs again (D3)', async () => {
    await tables.query('insert into counters values (5, 0)');
    let runs = 0;
    await database.transaction(async (transaction) => {
      const { rows: [row] } = await sql<{ id: number }>`select connection_id() as id`.execute(transaction.acrossTenants());
      await sql`update counters set n = n + 1 where id = 5`.execute(transaction.acrossTenants());
      if (++runs === 1) await tables.query(`kill ${row!.id}`);
      await sql`update counters set n = n + 1 where id = 5`.execute(transaction.acrossTenants());
    });
    expect(runs).toBe(2);
    expect(await count(5)).toBe(2);
  });

  it('that cannot reach its database gives up within a second (D5)', async () => {
    const url = new URL(tables.url);
    url.port = '1';
    const unreachable = await openDatabase(ormOptions(url.href, 2));
    const startedMs = Date.now();
    await expect(unreachable.transaction((transaction) => sql`select 1`.execute(transaction.acrossTenants()))).rejects.toThrow();
    expect(Date.now() - startedMs).toBeLessThan(1_000);
    await unreachable.close();
  });
});

describe('a tenant\'s part of the database (I15)', () => {
  const tenant = (id: string) => database.forTenant(id);
  const ticket = (id: string) => ({
    id, kind: 'mismatch' as const, payment_id: null, attempt_id: null, dedupe_key: Buffer.from(id), status: 'open' as const, evidence: '{}', opened_at: new Date(), resolved_at: null,
  });

  it('is all that its reads, changes and deletions touch', async () => {
    await tenant('ten_a').insertInto('tickets', ticket('tic_a')).execute();
    await tenant('ten_b').insertInto('tickets', ticket('tic_b')).execute();
    expect(await tenant('ten_a').selectFrom('tickets').select('id').execute()).toEqual([{ id: 'tic_a' }]);
    await tenant('ten_a').updateTable('tickets').set({ status: 'resolved' }).execute();
    expect(await tenant('ten_b').selectFrom('tickets').select('status').execute()).toEqual([{ status: 'open' }]);
    await tenant('ten_a').deleteFrom('tickets').execute();
    expect(await database.acrossTenants().selectFrom('tickets').select('id').execute()).toEqual([{ id: 'tic_b' }]);
  });
});
