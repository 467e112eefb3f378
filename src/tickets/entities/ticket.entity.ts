import { defineEntity } from '@mikro-orm/core';
import type { InferKyselyTable } from '@mikro-orm/mysql';
import { column } from '../../platform/database/columns.js';
import type { TicketKind } from '../ticket.js';

/** Something that a person must look at. */
export const TicketSchema = defineEntity({
  name: 'Ticket',
  tableName: 'tickets',
  properties: {
    id: column.id().primary(),
    tenantId: column.id(),
    kind: column.word<TicketKind>(),
    paymentId: column.id().nullable(),
    attemptId: column.id().nullable(),
    refundId: column.id().nullable(),
    /** The same trouble seen again is the same ticket. */
    dedupeKey: column.bytes(191),
    status: column.word<'open' | 'resolved'>(10),
    evidence: column.document(),
    openedAt: column.instant(),
    resolvedAt: column.instant().nullable(),
    resolution: column.text(500).nullable(),
    /** Id of the API key, if it was a person. */
    resolvedBy: column.id().nullable(),
  },
  uniques: [{ name: 'tickets_dedupe_key', properties: ['tenantId', 'dedupeKey'] }],
  indexes: [{ name: 'tickets_payment', properties: ['tenantId', 'paymentId'] }, { name: 'tickets_opened', properties: ['tenantId', 'openedAt', 'id'] }],
});

export type TicketRow = InferKyselyTable<typeof TicketSchema>;

declare module '../../platform/database/tables.js' {
  interface Tables { tickets: TicketRow }
}
