import { sql } from 'kysely';
import type { DatabaseAccess } from '../database/database.js';
import { isDuplicate } from '../database/database-errors.js';
import { databaseNow, databaseTimeIn } from '../database/time.js';

/** One try at one keyed request: the key, what was asked, and the name under which this try works. */
export type KeyedRequest = { tenantId: string; key: string; fingerprint: Buffer; owner: string; /** Answered when all goes well: 201 or 200. */ successStatus: number };

/** The bytes that were, or will be, answered to everybody who comes with this key. */
export type StoredAnswer = { statusCode: number; body: Buffer };

/** What is known of a key. */
export type KeyRecord = {
  key: string; fingerprint: Buffer; owner: string; attemptId: string | null; successStatus: number; leaseRemainingMs: number; answer: StoredAnswer | null;
};

/** An answer that is to be stored, and the payment that it tells of. */
export type NewAnswer = StoredAnswer & { paymentId: string };

/** The key is taken: by an earlier request, or by an earlier run of this same transaction. */
export class KeyTaken extends Error {
  override readonly name = 'KeyTaken';
}

const COLUMNS = ['idempotency_key', 'fingerprint', 'owner', 'attempt_id', 'status_code', 'body'] as const;

/** The table of idempotency keys. Leases are timed by the database's clock; every write after the first is guarded by the owner. */
export class IdempotencyKeys {
  constructor(private readonly leaseMs: number) {}

  /** Takes the key for `request.owner`, first of all in its transaction. @throws KeyTaken */
  async claim(access: DatabaseAccess, request: KeyedRequest, attemptId: string | null): Promise<void> {
    try {
      await access.forTenant(request.tenantId).insertInto('idempotency_keys', {
        idempotency_key: Buffer.from(request.key), fingerprint: request.fingerprint, state: 'running', owner: request.owner,
        lease_ends_at: databaseTimeIn(this.leaseMs), attempt_id: attemptId, payment_id: null, status_code: request.successStatus, body: null, created_at: databaseNow(),
      }).execute();
    } catch (error) {
      throw isDuplicate(error) ? new KeyTaken('idempotency key', { cause: error }) : error;
    }
  }

  async find(access: DatabaseAccess, tenantId: string, key: string): Promise<KeyRecord | null> {
    return this.one(access, tenantId, 'idempotency_key', Buffer.from(key));
  }

  /** The key that an attempt was made under, if it is not answered yet. */
  async findByAttempt(access: DatabaseAccess, tenantId: string, attemptId: string): Promise<KeyRecord | null> {
    return this.one(access, tenantId, 'attempt_id', attemptId);
  }

  /** Takes the key over from an owner whose lease has ended. False when somebody else was quicker, or the owner finished after all. */
  async takeOver(access: DatabaseAccess, tenantId: string, record: KeyRecord, newOwner: string): Promise<boolean> {
    const { numUpdatedRows } = await access.forTenant(tenantId).updateTable('idempotency_keys')
      .where('idempotency_key', '=', Buffer.from(record.key)).where('state', '=', 'running')
      .where('owner', '=', record.owner).where('lease_ends_at', '<=', databaseNow())
      .set({ owner: newOwner, lease_ends_at: databaseTimeIn(this.leaseMs) }).executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  /** Stores the answer for ever. False when the key is no longer `owner`'s, or was answered before. */
  async finish(access: DatabaseAccess, tenantId: string, key: string, owner: string, answer: NewAnswer): Promise<boolean> {
    const { numUpdatedRows } = await access.forTenant(tenantId).updateTable('idempotency_keys')
      .where('idempotency_key', '=', Buffer.from(key)).where('state', '=', 'running').where('owner', '=', owner)
      .set({ state: 'done', status_code: answer.statusCode, body: answer.body, payment_id: answer.paymentId }).executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  /** Changes the answers that are stored of a payment. Only for what the law takes out of them. */
  async rewrite(access: DatabaseAccess, tenantId: string, paymentId: string, change: (body: Buffer) => Buffer): Promise<void> {
    const keys = access.forTenant(tenantId);
    const stored = await keys.selectFrom('idempotency_keys').select(['idempotency_key', 'body']).where('payment_id', '=', paymentId).execute();
    for (const { idempotency_key: key, body } of stored) {
      if (body !== null) await keys.updateTable('idempotency_keys').set({ body: change(body) }).where('idempotency_key', '=', key).execute();
    }
  }

  private async one(access: DatabaseAccess, tenantId: string, column: 'idempotency_key' | 'attempt_id', value: Buffer | string): Promise<KeyRecord | null> {
    const row = await access.forTenant(tenantId).selectFrom('idempotency_keys').select(COLUMNS)
      .select(sql<number | string>`timestampdiff(microsecond, now(3), lease_ends_at) div 1000`.as('lease_remaining_ms'))
      .where(column, '=', value as never).executeTakeFirst();
    if (row === undefined) return null;
    const { status_code: successStatus, body } = row;
    return {
      key: row.idempotency_key.toString('latin1'), fingerprint: row.fingerprint, owner: row.owner, attemptId: row.attempt_id, successStatus,
      leaseRemainingMs: Math.max(0, Number(row.lease_remaining_ms)),
      answer: body === null ? null : { statusCode: successStatus, body },
    };
  }
}
