import { MikroORM } from '@mikro-orm/core';
import type { Options } from '@mikro-orm/mysql';
import { createConnection, type RowDataPacket } from 'mysql2/promise';

/** How long one migration run waits for another, in seconds. */
const LOCK_WAIT_SECONDS = 600;

/**
 * Brings the schema up to date, one run at a time: a named lock of the database, held on a connection of its own, makes others wait.
 * Returns the names of the migrations that were run. @throws Error when the lock is not had in ten minutes.
 */
export async function migrate(databaseUrl: string, options: Options): Promise<string[]> {
  const lock = await createConnection({ uri: databaseUrl.replace(/^mariadb:/, 'mysql:'), connectTimeout: 10_000 });
  const orm = await MikroORM.init(options);
  try {
    const name = `smartpay_migrate_${orm.config.get('dbName') ?? ''}`.slice(0, 64);
    const [[row]] = await lock.query<(RowDataPacket & { held: number | null })[]>('select get_lock(?, ?) as held', [name, LOCK_WAIT_SECONDS]);
    if (row?.held !== 1) throw new Error('another migration is running and does not end');
    return (await orm.migrator.up()).map((migration) => migration.name);
  } finally {
    await orm.close(true);
    await lock.end();
  }
}
