import { readEnvOrExit } from './config/read-env-or-exit.js';
import { ormOptions } from './mikro-orm.config.js';
import { migrate } from './platform/database/migrator.js';

/** `npm run migrate`: brings the schema up to date. May be run many times, and at once. */
const env = readEnvOrExit();
try {
  const names = await migrate(env.databaseUrl, ormOptions(env.databaseUrl, 2));
  process.stdout.write(names.length === 0 ? 'The schema is up to date.\n' : `Migrated: ${names.join(', ')}\n`);
} catch (error) {
  process.stderr.write(`Cannot migrate: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
