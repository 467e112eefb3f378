import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { ormOptions } from './mikro-orm.config.js';
import { readLoggedHashes, verifyAudit } from './platform/audit/audit-verification.js';
import { runCommand } from './platform/command.js';

/** `npm run audit:verify [-- --log <file> …]`: whether the audit trail is whole, and as the service's own log says. 1 when it is not. */
await runCommand(ormOptions, async ({ database, say }) => {
  const { log } = parseArgs({ options: { log: { type: 'string', multiple: true, default: [] } } }).values;
  const { chains, entries, linesCompared, faults } = await verifyAudit(database, await readLoggedHashes(linesOf(log)));
  say(`${entries} entries in ${chains} chains${log.length === 0 ? '' : `, ${linesCompared} compared with the log`}: ${faults.length === 0 ? 'whole' : `${faults.length} faults`}`);
  for (const fault of faults) say(`  ${fault}`);
  return faults.length === 0 ? 0 : 1;
});

async function* linesOf(files: readonly string[]): AsyncGenerator<string> {
  for (const file of files) yield* createInterface({ input: createReadStream(file), crlfDelay: Infinity });
}
