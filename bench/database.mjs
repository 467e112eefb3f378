// The database of a run: DATABASE_URL, else a private MariaDB that syncs every commit to its disk; in it a schema for each side.
import fs from 'node:fs';
import path from 'node:path';
import { startMariadb } from '../tools/mariadb.mjs';
import { randomText } from '../tools/secrets.mjs';
import { pidOfServer } from './measure/database-watch.mjs';

/** Opens the database server; `schema(name)` makes an empty schema and gives its URL, `close` drops those. */
export async function openServer({ home }) {
  const url = new URL(process.env.DATABASE_URL || (await privateUrl(home)));
  const { default: mysql } = await import('mysql2/promise'); // after `npm ci`
  const connection = await mysql.createConnection({ uri: url.href.replace(/^mariadb:/, 'mysql:').replace(/\/[^/]*$/, '/') });
  const [[{ version, durable, binlog }]] = await connection.query(
    'select version() as version, @@innodb_flush_log_at_trx_commit as durable, @@log_bin as binlog');
  const schemas = [];
  return {
    connection,
    pid: await pidOfServer(connection, (file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '')),
    describe: { version, commitsAreSynced: Number(durable) === 1, binaryLog: Number(binlog) === 1, isPrivate: !process.env.DATABASE_URL },
    schema: async (side) => {
      const name = `bench_${side}_${process.pid}`;
      await connection.query(`create database ${name} character set utf8mb4 collate utf8mb4_bin`);
      schemas.push(name);
      const own = new URL(url);
      own.pathname = `/${name}`;
      return { name, url: own.href };
    },
    close: async () => {
      for (const name of schemas) await connection.query(`drop database if exists ${name}`);
      await connection.end();
    },
  };
}

/** Durable, unlike the tests' own: what a commit costs is a part of what is measured. */
async function privateUrl(home) {
  const [user, password] = ['bench', randomText(24)];
  const { port } = await startMariadb({ home: path.join(home, 'mariadb'), setUp: [
    `CREATE USER IF NOT EXISTS '${user}'@'127.0.0.1' IDENTIFIED BY '${password}'`, `GRANT ALL ON *.* TO '${user}'@'127.0.0.1'`,
  ] });
  return `mariadb://${user}:${password}@127.0.0.1:${port}/`;
}
