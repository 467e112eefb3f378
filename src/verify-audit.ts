import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { readEnvOrExit } from './config/read-env-or-exit.js';
import { ormOptions } from './mikro-orm.config.js';
import { readLoggedHashes, verifyAudit } from './platform/audit/audit-verification.js';
import { openDatabase } from './platform/database/open-database.js';

/** `npm run audit:verify [-- --log <file> …]`: whether the audit trail is whole, and as the service's own log says. 1 when it is not. */
const { values } = parseArgs({ options: { log: { type: 'string', multiple: true, default: [] } } });
const env = readEnvOrExit();
const database = await openDatabase(ormOptions(env.databaseUrl, 2));
try {
  const { chains, entries, linesCompared, faults } = await verifyAudit(database, await readLoggedHashes(linesOf(values.log)));
  process.stdout.write(`${entries} entries in ${chains} chains${values.log.length === 0 ? '' : `, ${linesCompared} compared with the log`}: ${faults.length === 0 ? 'whole' : `${faults.length} faults`}\n`);
  for (const fault of faults) process.stdout.write(`  ${fault}\n`);
  process.exitCode = faults.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`Cannot verify: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await database.close();
}

async function* linesOf(files: readonly string[]): AsyncGenerator<string> {
  for (const file of files) yield* createInterface({ input: createReadStream(file), crlfDelay: Infinity });
}
