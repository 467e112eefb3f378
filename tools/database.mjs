// Finds or brings up a database: DATABASE_URL, else Docker, else a private MariaDB.
import path from 'node:path';
import { dockerRuns, startComposeDatabase } from './docker.mjs';
import { startMariadb } from './mariadb.mjs';
import { greeting } from './ports.mjs';
import { say, Trouble } from './say.mjs';
import { randomText } from './secrets.mjs';

const SCHEMA = 'smartpay';

/** The database of `npm run up`: its rows stay in `home`. Where it is our own, only `migratorUrl` may change tables; `migrate` gives the other user what it needs. */
export async function developmentDatabase({ home, password, port }) {
  if (process.env.DATABASE_URL) return givenDatabase({ schemaWanted: true });
  const urls = (scheme, at) => {
    const as = (user) => `${scheme}://${user}:${password}@127.0.0.1:${at}/${SCHEMA}`;
    return { url: as(SCHEMA), migratorUrl: as(`${SCHEMA}_migrator`) };
  };
  if (dockerRuns()) {
    const compose = await startComposeDatabase({ project: 'smartpay-up', port, password, throwAway: false });
    if (compose) return { ...compose, ...urls('mysql', compose.port), name: 'mysql:8.4 in Docker' };
    say('  Docker could not; taking a private MariaDB instead');
  }
  const [user, migrator] = [`'${SCHEMA}'@'127.0.0.1'`, `'${SCHEMA}_migrator'@'127.0.0.1'`];
  const mariadb = await startMariadb({ home: path.join(home, 'mariadb'), port, setUp: [
    ...[`'root'@'127.0.0.1'`, `'root'@'::1'`].map((root) => `DROP USER IF EXISTS ${root}`), // has no password; root@localhost is behind the folder's mode
    `CREATE DATABASE IF NOT EXISTS ${SCHEMA} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
    ...[user, migrator].flatMap((each) => [`CREATE USER IF NOT EXISTS ${each}`, `ALTER USER ${each} IDENTIFIED BY '${password}'`]),
    `REVOKE ALL PRIVILEGES, GRANT OPTION FROM ${user}`, `GRANT ALL ON ${SCHEMA}.* TO ${migrator} WITH GRANT OPTION`,
  ] });
  return { ...mariadb, ...urls('mariadb', mariadb.port), name: `a private MariaDB in ${path.relative('.', home)}/mariadb` };
}

/** The database of `npm test`: its user may make and drop schemas, and all of it goes at the end. */
export async function testDatabase({ home }) {
  if (process.env.DATABASE_URL) return givenDatabase({ schemaWanted: false });
  const password = randomText(24); // logs are scrubbed of it, so it is no word that a log line may hold
  if (dockerRuns()) {
    const compose = await startComposeDatabase({ project: `smartpay-test-${process.pid}`, password, throwAway: true });
    if (compose) return { ...compose, url: `mysql://root:${password}@127.0.0.1:${compose.port}/`, name: 'mysql:8.4 in Docker' };
    say('  Docker could not; taking a private MariaDB instead');
  }
  const user = `'${SCHEMA}'@'127.0.0.1'`;
  const mariadb = await startMariadb({ home: path.join(home, 'mariadb'), throwAway: true, setUp: [
    `CREATE USER IF NOT EXISTS ${user} IDENTIFIED BY '${password}'`, `GRANT ALL ON *.* TO ${user} WITH GRANT OPTION`,
  ] });
  return { ...mariadb, url: `mariadb://${SCHEMA}:${password}@127.0.0.1:${mariadb.port}/`, name: 'a private MariaDB, thrown away at the end' };
}

async function givenDatabase({ schemaWanted }) {
  const url = readUrl(process.env.DATABASE_URL, schemaWanted);
  const [host, port] = [url.hostname.replace(/^\[|\]$/g, ''), Number(url.port || 3306)];
  const reason = await greeting(host, port, 5000);
  if (reason) {
    throw new Trouble(`the database of DATABASE_URL cannot be reached at ${url.hostname}:${port} (${reason}): start it, correct DATABASE_URL, `
      + 'or unset it and a private one is brought up');
  }
  return { url: process.env.DATABASE_URL, name: `the database of DATABASE_URL at ${url.hostname}:${port}` };
}

function readUrl(text, schemaWanted) {
  const form = `DATABASE_URL must look like mysql://user:password@host:3306/${SCHEMA} (or mariadb://…), or be unset`;
  if (!URL.canParse(text)) throw new Trouble(form);
  const url = new URL(text);
  if (!['mysql:', 'mariadb:'].includes(url.protocol) || !url.hostname) throw new Trouble(form);
  if (schemaWanted && url.pathname.length < 2) throw new Trouble(`DATABASE_URL names no database: end it with /${SCHEMA}`);
  return url;
}
