import { ormOptions } from './mikro-orm.config.js';
import { AuditTrail, PLATFORM_CHAIN } from './platform/audit/audit-trail.js';
import { runCommand } from './platform/command.js';
import { reseal } from './platform/crypto/reseal.js';
import { SecretBox } from './platform/crypto/secret-box.js';
import { SEALED_COLUMNS } from './sealed-columns.js';
import { newId } from './shared/id.js';

/**
 * `npm run keys:rotate`: seals everything with the first of ENCRYPTION_KEYS, while the service runs (docs/operations.md). May be run many times.
 * 1 unless nothing is left that another key has sealed.
 */
await runCommand(ormOptions, async ({ env, database, say }) => {
  const secretBox = new SecretBox(env.encryptionKeys);
  let [resealed, left] = [0, 0];
  for (const place of SEALED_COLUMNS) {
    const outcome = await reseal(database, secretBox, place);
    say(`${place.table}.${place.column}: ${outcome.resealed} sealed anew, ${outcome.left} left`);
    resealed += outcome.resealed;
    left += outcome.left;
  }
  const entry = {
    id: newId('aud'), tenantId: PLATFORM_CHAIN, createdAt: new Date(), actor: 'command', action: 'encryption_keys.rotated', subject: secretBox.prefix, detail: { resealed, left },
  };
  await database.transaction((transaction) => new AuditTrail().append(transaction, entry));
  say(left === 0
    ? 'Everything is sealed with the first key. The others may be removed from ENCRYPTION_KEYS once every instance writes with the first.'
    : 'An instance still writes with another key: make the same key the first of ENCRYPTION_KEYS everywhere, then run this again.');
  return left === 0 ? 0 : 1;
});
