import { defineEntity } from '@mikro-orm/core';
import type { InferKyselyTable } from '@mikro-orm/mysql';
import { column } from '../database/columns.js';

/** What somebody changed that money or access depends on. Only ever added to: the service's database user may not change or remove entries (docs/security.md). */
export const AuditEntrySchema = defineEntity({
  name: 'AuditEntry',
  tableName: 'audit_entries',
  properties: {
    tenantId: column.id().primary(),
    /** 1, 2, 3 … for each tenant, without a gap. */
    entryNumber: column.count().primary(),
    id: column.id(),
    createdAt: column.instant(),
    /** The id of the key that asked, `platform`, or `command`. */
    actor: column.text(64),
    action: column.word(60),
    /** The id of what was changed. */
    subject: column.text(64),
    detail: column.document(),
    traceId: column.text(64).nullable(),
    previousHash: column.hash(),
    hash: column.hash(),
  },
  uniques: [{ name: 'audit_entries_id', properties: ['tenantId', 'id'] }],
});

export type AuditEntryRow = InferKyselyTable<typeof AuditEntrySchema>;

declare module '../database/tables.js' {
  interface Tables { audit_entries: AuditEntryRow }
}
