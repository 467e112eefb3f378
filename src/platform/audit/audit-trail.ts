import { Logger } from '@nestjs/common';
import { currentTraceId } from '../http/trace.js';
import { isDuplicate } from '../database/database-errors.js';
import type { DatabaseAccess, Transaction } from '../database/database.js';
import type { PageStart } from '../http/pagination.js';
import { CHAIN_START, hashOfEntry } from './audit-chain.js';

/** The log line of an entry that is durable. Kept elsewhere, these lines show also that a whole chain was made anew (`npm run audit:verify -- --log`). */
export const AUDITED = 'audited';

/** The chain of what concerns no tenant. */
export const PLATFORM_CHAIN = 'platform';

/** Who did it: the id of a tenant's key, `platform`, or `command`. */
export type Actor = string;

/** `id` and `createdAt` are made outside the transaction, so that one that is run again adds no second entry. `detail` holds no secret. */
export type NewAuditEntry = { id: string; tenantId: string; createdAt: Date; actor: Actor; action: string; subject: string; detail: Record<string, unknown> };

export type AuditEntry = NewAuditEntry & { entryNumber: number; traceId: string | null; hash: string };

/** Who changed what, one chain of entries for each tenant. */
export class AuditTrail {
  private readonly logger = new Logger(AuditTrail.name);

  /** Adds an entry in the transaction that makes the change. */
  async append(transaction: Transaction, { id, tenantId, createdAt, actor, action, subject, detail }: NewAuditEntry): Promise<void> {
    const chain = transaction.forTenant(tenantId);
    // Makes the head or leaves it as it is, and holds it either way.
    await chain.insertInto('audit_heads', { entry_number: 0, hash: CHAIN_START }).onDuplicateKeyUpdate((head) => ({ entry_number: head.ref('entry_number') })).execute();
    const head = await chain.selectFrom('audit_heads').select(['entry_number', 'hash']).forUpdate().executeTakeFirstOrThrow();
    const entry = {
      tenant_id: tenantId, entry_number: head.entry_number + 1, id, created_at: createdAt, actor, action, subject, detail: JSON.stringify(detail),
      trace_id: currentTraceId() ?? null, previous_hash: head.hash,
    };
    const hash = hashOfEntry(entry);
    try {
      await chain.insertInto('audit_entries', { ...entry, hash }).execute();
    } catch (error) {
      // An earlier run of this transaction had committed.
      if (isDuplicate(error, 'audit_entries_id')) return;
      throw error;
    }
    await chain.updateTable('audit_heads').set({ entry_number: entry.entry_number, hash }).execute();
    transaction.afterCommit(() => {
      this.logger.log({ msg: AUDITED, tenantId, entryNumber: entry.entry_number, action, subject, actor, hash: hash.toString('hex') });
    });
  }

  /** A tenant's entries, newest first, at most `limit`. */
  async list(access: DatabaseAccess, tenantId: string, made: { from?: Date | undefined; to?: Date | undefined }, after: PageStart | null, limit: number): Promise<AuditEntry[]> {
    let query = access.forTenant(tenantId).selectFrom('audit_entries').selectAll();
    if (made.from !== undefined) query = query.where('created_at', '>=', made.from);
    if (made.to !== undefined) query = query.where('created_at', '<', made.to);
    if (after !== null) query = query.where('entry_number', '<', Number(/^[0-9]{1,10}$/.exec(after.id)?.[0] ?? 0));
    const rows = await query.orderBy('entry_number', 'desc').limit(limit).execute();
    return rows.map((row) => ({
      id: row.id, tenantId: row.tenant_id, entryNumber: row.entry_number, createdAt: row.created_at, actor: row.actor, action: row.action, subject: row.subject,
      detail: JSON.parse(row.detail) as Record<string, unknown>, traceId: row.trace_id, hash: row.hash.toString('hex'),
    }));
  }
}
