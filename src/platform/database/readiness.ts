import { sql } from 'kysely';
import type { Database } from './database.js';
import { LOCK_WAIT_SECONDS } from './pool.js';

/** @throws Error when the database does not answer. */
export async function checkConnection(database: Database): Promise<void> {
  await sql`select 1`.execute(database.acrossTenants());
}

/** @throws Error when the schema is behind the code. */
export async function checkSchema(database: Database, migrations: readonly { name: string }[]): Promise<void> {
  const { rows } = await sql<{ name: string }>`select name from migrations`.execute(database.acrossTenants());
  const done = new Set(rows.map(({ name }) => name));
  const missing = migrations.filter(({ name }) => !done.has(name));
  if (missing.length > 0) throw new Error(`the schema is behind by ${missing.length} migrations; run npm run migrate`);
}

/** @throws Error unless connections are set as the code relies on, whatever the server's defaults (design/architecture.md §6). */
export async function checkSession(database: Database): Promise<void> {
  const { rows } = await sql<{ Variable_name: string; Value: string }>`
    show session variables where Variable_name in ('tx_isolation', 'transaction_isolation', 'innodb_lock_wait_timeout', 'time_zone')`.execute(database.acrossTenants());
  const isolated = rows.some(({ Variable_name: name, Value: value }) => name.endsWith('_isolation') && value === 'READ-COMMITTED');
  const utc = rows.some(({ Variable_name: name, Value: value }) => name === 'time_zone' && value === '+00:00');
  const patient = rows.some(({ Variable_name: name, Value: value }) => name === 'innodb_lock_wait_timeout' && Number(value) === LOCK_WAIT_SECONDS);
  if (!isolated || !utc || !patient) throw new Error(`database sessions are not READ COMMITTED in UTC with a lock wait of ${LOCK_WAIT_SECONDS} s`);
}
