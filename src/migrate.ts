import { readEnvOrExit } from './config/read-env-or-exit.js';
import { ormOptions } from './mikro-orm.config.js';
import { migrate } from './platform/database/migrator.js';
import { grantService } from './platform/database/service-grants.js';

/** `npm run migrate`: brings the schema up to date, and gives the service's own database user what it needs. May be run many times, and at once. */
const { databaseUrl, databaseMigratorUrl = databaseUrl } = readEnvOrExit();
try {
  const names = await migrate(databaseMigratorUrl, ormOptions(databaseMigratorUrl, 2));
  process.stdout.write(names.length === 0 ? 'The schema is up to date.\n' : `Migrated: ${names.join(', ')}\n`);
  const grants = await grantService(databaseMigratorUrl, databaseUrl);
  if (grants !== null && grants.refusal === null) process.stdout.write(`${grants.account} may read and write rows.\n`);
  if (grants !== null && grants.refusal !== null) {
    process.stdout.write(`The migrator may not give ${grants.account} its rights (${grants.refusal}); unless it has them, an administrator must run:\n${grants.statements.map((statement) => `${statement};\n`).join('')}`);
  }
} catch (error) {
  process.stderr.write(`Cannot migrate: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
