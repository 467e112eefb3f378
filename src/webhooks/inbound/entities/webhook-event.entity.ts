import { defineEntity } from '@mikro-orm/core';
import type { InferKyselyTable } from '@mikro-orm/mysql';
import { column } from '../../../platform/database/columns.js';

/**
 * Where a webhook stands. `ignored`: it speaks of no payment. `quarantined`: of none that we know. `dead`: the PSP could not be asked, however often
 * that was tried.
 */
export const WEBHOOK_STATUSES = ['received', 'processed', 'ignored', 'quarantined', 'dead'] as const;
export type WebhookStatus = (typeof WEBHOOK_STATUSES)[number];

/** What a PSP told us happened. It moves nothing: it makes us ask. The body is not kept; its hash shows whether two are the same. */
export const WebhookEventSchema = defineEntity({
  name: 'WebhookEvent',
  tableName: 'webhook_events',
  properties: {
    id: column.id().primary(),
    tenantId: column.id(),
    gateway: column.word(32),
    /** The PSP's name of the event and of what it speaks of: identical deliveries are one row. */
    dedupeKey: column.hash(),
    topic: column.text(80),
    eventId: column.bytes(255),
    status: column.word<WebhookStatus>(20),
    /** Whether the delivery was proven to come from the PSP; what is not is only a hint. */
    isProven: column.flag(),
    gatewayReference: column.bytes(255).nullable(),
    /** Our attempt id, where the PSP names it. */
    ourReference: column.bytes(255).nullable(),
    /** Our attempt id of the refund it speaks of, where the PSP names it. */
    refundReference: column.bytes(255).nullable(),
    paymentId: column.id().nullable(),
    deliveries: column.count(),
    bodyHash: column.hash(),
    createdAt: column.instant(),
    updatedAt: column.instant(),
  },
  uniques: [{ name: 'webhook_events_dedupe_key', properties: ['tenantId', 'gateway', 'dedupeKey'] }],
  indexes: [
    { name: 'webhook_events_created', properties: ['tenantId', 'createdAt', 'id'] },
    { name: 'webhook_events_payment', properties: ['tenantId', 'paymentId'] },
    { name: 'webhook_events_reference', properties: ['tenantId', 'gateway', 'gatewayReference'] },
  ],
});

export type WebhookEventRow = InferKyselyTable<typeof WebhookEventSchema>;

declare module '../../../platform/database/tables.js' {
  interface Tables { webhook_events: WebhookEventRow }
}
