import { defineEntity } from '@mikro-orm/core';
import type { InferKyselyTable } from '@mikro-orm/mysql';
import { column } from '../../platform/database/columns.js';

/** What somebody found out about a payment or refund that no PSP tells of, and who agreed. */
export const ResolutionSchema = defineEntity({
  name: 'Resolution',
  tableName: 'resolutions',
  properties: {
    id: column.id().primary(),
    tenantId: column.id(),
    paymentId: column.id(),
    refundId: column.id().nullable(),
    outcome: column.word<'captured' | 'succeeded' | 'failed'>(10),
    /** What the PSP calls it, where a person found that. */
    gatewayReference: column.bytes(255).nullable(),
    evidence: column.text(2000),
    status: column.word<'proposed' | 'replaced' | 'applied'>(10),
    /** Ids of API keys. */
    proposedBy: column.id(),
    proposedAt: column.instant(),
    approvedBy: column.id().nullable(),
    approvedAt: column.instant().nullable(),
  },
  indexes: [{ name: 'resolutions_payment', properties: ['tenantId', 'paymentId', 'id'] }],
});

export type ResolutionRow = InferKyselyTable<typeof ResolutionSchema>;

declare module '../../platform/database/tables.js' {
  interface Tables { resolutions: ResolutionRow }
}
