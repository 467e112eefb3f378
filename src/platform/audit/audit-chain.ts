import { createHash } from 'node:crypto';
import type { AuditEntryRow } from './audit-entry.entity.js';

/** What stands before a chain's first entry. */
export const CHAIN_START = Buffer.alloc(32);

/** The hash of an entry: SHA-256 over all of it and the hash of the one before, so that no entry can be changed, removed or put between without changing every later one. */
export function hashOfEntry(entry: Omit<AuditEntryRow, 'hash'>): Buffer {
  const { tenant_id, entry_number, id, created_at, actor, action, subject, detail, trace_id, previous_hash } = entry;
  const fields = [tenant_id, entry_number, id, created_at.toISOString(), actor, action, subject, detail, trace_id, previous_hash.toString('hex')];
  return createHash('sha256').update(JSON.stringify(fields)).digest();
}
