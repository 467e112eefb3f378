import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { ormOptions } from '../../src/mikro-orm.config.js';
import { migrate } from '../../src/platform/database/migrator.js';

/** A MariaDB of one test alone, migrated, which may be killed. */
export type PrivateDatabase = {
  url: string;
  /** On a connection of its own each time: the server may have been killed since. */
  query<T extends object>(statement: string, values?: unknown[]): Promise<T[]>;
  /** As a power cut of the server's process would. It is gone when this resolves. */
  kill(): Promise<void>;
  /** Starts it again, on the same port. */
  start(): Promise<void>;
  close(): Promise<void>;
};

type Running = { port: number; died: Promise<unknown>; stop: () => Promise<void> };
type StartMariadb = (server: { home: string; port?: number; setUp: string[]; throwAway: boolean }) => Promise<Running>;

const SCHEMA = 'smartpay';
const PASSWORD = 'of-a-test-alone';

/** `setUp`: statements that are run at each start, before the first connection. */
export async function startPrivateDatabase(setUp: string[] = []): Promise<PrivateDatabase> {
  const { startMariadb } = await import(pathToFileURL(join(import.meta.dirname, '../../tools/mariadb.mjs')).href) as { startMariadb: StartMariadb };
  const home = mkdtempSync(join(tmpdir(), 'smartpay-mariadb-'));
  mkdirSync(join(home, 'server'), { mode: 0o700 });
  const server = {
    home: join(home, 'server'), throwAway: true, setUp: [
      `CREATE DATABASE IF NOT EXISTS ${SCHEMA} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`, `CREATE USER IF NOT EXISTS 'test'@'127.0.0.1' IDENTIFIED BY '${PASSWORD}'`, `GRANT ALL ON *.* TO 'test'@'127.0.0.1'`, ...setUp,
    ],
  };
  let running = await startMariadb(server);
  const { port } = running;
  const url = `mariadb://test:${PASSWORD}@127.0.0.1:${port}/${SCHEMA}`;
  await migrate(url, ormOptions(url, 2));
  return {
    url,
    query: async <T extends object>(statement: string, values: unknown[] = []) => {
      const connection = await createConnection({ uri: url.replace(/^mariadb:/, 'mysql:'), timezone: 'Z' });
      try {
        await connection.query("set session time_zone = '+00:00'");
        const [rows] = await connection.query<RowDataPacket[]>(statement, values);
        return rows as unknown as T[];
      } finally {
        await connection.end();
      }
    },
    kill: async () => {
      process.kill(Number(readFileSync(join(server.home, 'pid'), 'utf8')), 'SIGKILL');
      await running.died;
    },
    start: async () => {
      running = await startMariadb({ ...server, port });
      if (running.port !== port) throw new Error('the database did not get its port back');
    },
    close: async () => {
      await running.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
