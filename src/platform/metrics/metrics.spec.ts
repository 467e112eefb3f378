import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { ormOptions } from '../../mikro-orm.config.js';
import type { Database, Transaction } from '../database/database.js';
import { openDatabase } from '../database/open-database.js';
import { Metrics } from './metrics.js';

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

let metrics: Metrics;
let count: (access: Transaction | Database) => void;
beforeEach(() => {
  metrics = new Metrics();
  const counter = metrics.counter({ name: 'smartpay_things_total', help: 'Things.', labelNames: ['kind'] });
  count = (access) => { metrics.countAfterCommit(access, counter, { kind: 'a' }); };
});
const counted = async (): Promise<string | undefined> => /^smartpay_things_total\{kind="a"\} (\d+)$/m.exec(await metrics.registry.metrics())?.[1];

describe('what happens in a transaction', () => {
  it('counts once it has committed, and not before', async () => {
    await database.transaction(async (transaction) => {
      await sql`select 1`.execute(transaction.acrossTenants());
      count(transaction);
      expect(await counted()).toBeUndefined();
    });
    expect(await counted()).toBe('1');
  });

  it('does not count when it is rolled back', async () => {
    await expect(database.transaction((transaction) => {
      count(transaction);
      return Promise.reject(new Error('refused'));
    })).rejects.toThrow('refused');
    expect(await counted()).toBeUndefined();
  });

  it('counts once however often it is run', async () => {
    let runs = 0;
    await database.transaction(async (transaction) => {
      count(transaction);
      if (++runs < 3) throw Object.assign(new Error('deadlock'), { errno: 1213 });
    });
    expect(runs).toBe(3);
    expect(await counted()).toBe('1');
  });

  it('counts on its own, whatever another transaction does meanwhile', async () => {
    await database.transaction(async (outer) => {
      count(outer);
      await database.transaction(async (other) => { count(other); });
      expect(await counted()).toBe('1');
    });
    expect(await counted()).toBe('2');
  });
});

it('what happens outside of a transaction counts at once', async () => {
  count(database);
  expect(await counted()).toBe('1');
});
