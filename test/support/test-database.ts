import { randomBytes } from 'node:crypto';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { ormOptions } from '../../src/mikro-orm.config.js';
import { migrate } from '../../src/platform/database/migrator.js';

/** A database of its own on the test server, migrated. */
export type TestDatabase = {
  url: string;
  /** Reads or breaks things beside the service, on a connection of its own. */
  query<T extends object>(statement: string, values?: unknown[]): Promise<T[]>;
  drop(): Promise<void>;
};

export async function createTestDatabase(): Promise<TestDatabase> {
  const server = process.env.DATABASE_URL;
  if (server === undefined) throw new Error('DATABASE_URL names the test server; npm test sets it');
  const name = `smartpay_test_${randomBytes(6).toString('hex')}`;
  const admin = await connect(server);
  await admin.query(`create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  await migrate(url.href, ormOptions(url.href, 2));
  const connection = await connect(url.href);
  return {
    url: url.href,
    query: async <T extends object>(statement: string, values: unknown[] = []) => {
      const [rows] = await connection.query<RowDataPacket[]>(statement, values);
      return rows as unknown as T[];
    },
    drop: async () => {
      await connection.end();
      await admin.query(`drop database if exists ${name}`);
      await admin.end();
    },
  };
}

/** In UTC, as the service's own connections are, whatever the server's default. */
async function connect(url: string): Promise<Connection> {
  const connection = await createConnection({ uri: url.replace(/^mariadb:/, 'mysql:'), timezone: 'Z' });
  await connection.query("set session time_zone = '+00:00'");
  return connection;
}

/** Every row of every table, as text. */
export async function dumpOf(tables: Pick<TestDatabase, 'query'>): Promise<string> {
  const names = await tables.query<{ name: string }>('select table_name as name from information_schema.tables where table_schema = database()');
  const rows = await Promise.all(names.map(({ name }) => tables.query(`select * from ${name}`)));
  return JSON.stringify(rows, (_key, value: unknown) => (typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value ? Buffer.from(value.data as number[]).toString('latin1') : value));
}
