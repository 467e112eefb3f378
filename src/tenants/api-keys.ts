import { createHash, randomInt } from 'node:crypto';
import type { Actor, AuditTrail } from '../platform/audit/audit-trail.js';
import type { Database } from '../platform/database/database.js';
import type { Clock } from '../shared/clock.js';
import { isId, newId } from '../shared/id.js';
import { Problem } from '../shared/problem.js';
import type { Caller } from './caller.js';
import { storedFeeRules } from './fee-rules.js';
import { settingsOf } from './tenant-settings.js';
import type { Role } from './role.js';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_CHARACTERS = 40;

/** An API key as it is listed: without the key. */
export type ApiKey = { id: string; name: string; role: Role; hint: string; createdAt: Date; revokedAt: Date | null };

/** The keys of tenants. A key is shown once, when it is made. */
export class ApiKeys {
  constructor(private readonly database: Database, private readonly audit: AuditTrail, private readonly clock: Clock) {}

  /** Who holds this key, or null. Asked on every request, so that a revocation holds at once on every replica. */
  async callerOf(key: string): Promise<Caller | null> {
    const row = await this.database.acrossTenants().selectFrom('api_keys').innerJoin('tenants', 'tenants.id', 'api_keys.tenant_id')
      .select(['api_keys.id', 'api_keys.tenant_id', 'api_keys.role', 'tenants.locale', 'tenants.settings', 'tenants.reference_fees'])
      .where('api_keys.hash', '=', hashOf(key)).where('api_keys.revoked_at', 'is', null).executeTakeFirst();
    if (row === undefined) return null;
    return { keyId: row.id, tenantId: row.tenant_id, role: row.role, locale: row.locale, settings: settingsOf(row.settings), referenceFees: storedFeeRules(row.reference_fees) };
  }

  async create(tenantId: string, name: string, role: Role, actor: Actor): Promise<ApiKey & { key: string }> {
    const key = newKey();
    const made = { id: newId('key'), name, role, hint: key.slice(-4), createdAt: this.clock.now(), revokedAt: null };
    const entry = { id: newId('aud'), tenantId, createdAt: made.createdAt, actor, action: 'api_key.created', subject: made.id, detail: { role } };
    await this.database.transaction(async (transaction) => {
      await transaction.forTenant(tenantId).insertInto('api_keys', {
        id: made.id, name, role, hint: made.hint, hash: hashOf(key), created_at: made.createdAt, revoked_at: null,
      }).onDuplicateKeyUpdate({ name }).execute();
      await this.audit.append(transaction, entry);
    });
    return { ...made, key };
  }

  async list(tenantId: string): Promise<ApiKey[]> {
    const rows = await this.database.forTenant(tenantId).selectFrom('api_keys').selectAll().orderBy('created_at').limit(1000).execute();
    return rows.map((row) => ({ id: row.id, name: row.name, role: row.role, hint: row.hint, createdAt: row.created_at, revokedAt: row.revoked_at }));
  }

  /** Revokes a key for good; again is no error. @throws Problem `not_found` */
  async revoke(tenantId: string, id: string, actor: Actor): Promise<void> {
    const revokedAt = this.clock.now();
    const entry = { id: newId('aud'), tenantId, createdAt: revokedAt, actor, action: 'api_key.revoked', subject: id, detail: {} };
    await this.database.transaction(async (transaction) => {
      const keys = transaction.forTenant(tenantId);
      const known = isId('key', id) && await keys.selectFrom('api_keys').select('id').where('id', '=', id).executeTakeFirst() !== undefined;
      if (!known) throw new Problem('not_found', 'There is no such key.');
      const { numUpdatedRows } = await keys.updateTable('api_keys').set({ revoked_at: revokedAt }).where('id', '=', id).where('revoked_at', 'is', null).executeTakeFirstOrThrow();
      if (numUpdatedRows > 0n) await this.audit.append(transaction, entry);
    });
  }
}

/** A new key: `sk_` and 40 characters, 238 random bits, so that a plain hash of it cannot be guessed back. */
function newKey(): string {
  return `sk_${Array.from({ length: RANDOM_CHARACTERS }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('')}`;
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
