import { defineEntity } from '@mikro-orm/core';
import type { InferKyselyTable } from '@mikro-orm/mysql';
import { column } from '../database/columns.js';

/** The last entry of each tenant's chain: whoever adds one holds this row, and an end that was cut off shows. */
export const AuditHeadSchema = defineEntity({
  name: 'AuditHead',
  tableName: 'audit_heads',
  properties: { tenantId: column.id().primary(), entryNumber: column.count(), hash: column.hash() },
});

export type AuditHeadRow = InferKyselyTable<typeof AuditHeadSchema>;

declare module '../database/tables.js' {
  interface Tables { audit_heads: AuditHeadRow }
}
