import { readEnvOrExit } from './config/read-env-or-exit.js';
import { ormOptions } from './mikro-orm.config.js';
import { AuditTrail, PLATFORM_CHAIN } from './platform/audit/audit-trail.js';
import { reseal } from './platform/crypto/reseal.js';
import { SecretBox } from './platform/crypto/secret-box.js';
import { openDatabase } from './platform/database/open-database.js';
import { SEALED_COLUMNS } from './sealed-columns.js';
import { newId } from './shared/id.js';

/**
 * `npm run keys:rotate`: seals everything with the first of ENCRYPTION_KEYS, while the service runs (docs/operations.md). May be run many times.
 * 1 unless nothing is left that another key has sealed.
 */
const env = readEnvOrExit();
const database = await openDatabase(ormOptions(env.databaseUrl, 2));
try {
  const secretBox = new SecretBox(env.encryptionKeys);
  const outcomes = [];
  for (const place of SEALED_COLUMNS) outcomes.push({ ...place, ...await reseal(database, secretBox, place) });
  const resealed = outcomes.reduce((sum, outcome) => sum + outcome.resealed, 0);
  const left = outcomes.reduce((sum, outcome) => sum + outcome.left, 0);
  const entry = {
    id: newId('aud'), tenantId: PLATFORM_CHAIN, createdAt: new Date(), actor: 'command', action: 'encryption_keys.rotated', subject: secretBox.prefix, detail: { resealed, left },
  };
  await database.transaction((transaction) => new AuditTrail().append(transaction, entry));
  for (const outcome of outcomes) process.stdout.write(`${outcome.table}.${outcome.column}: ${outcome.resealed} sealed anew, ${outcome.left} left\n`);
  process.stdout.write(left === 0
    ? `Everything is sealed with the first key. The others may be removed from ENCRYPTION_KEYS once every instance writes with the first.\n`
    : 'An instance still writes with another key: make the same key the first of ENCRYPTION_KEYS everywhere, then run this again.\n');
  process.exitCode = left === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`Cannot rotate: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await database.close();
}
