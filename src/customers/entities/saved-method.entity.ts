import { defineEntity } from '@mikro-orm/core';
import type { InferKyselyTable } from '@mikro-orm/mysql';
import { column } from '../../platform/database/columns.js';

/** A card that a PSP keeps for a customer. */
export const SavedMethodSchema = defineEntity({
  name: 'SavedMethod',
  tableName: 'saved_methods',
  properties: {
    id: column.id().primary(),
    tenantId: column.id(),
    customerId: column.id(),
    gateway: column.word(32),
    environment: column.word<'sandbox' | 'production'>(10),
    /** The version of the account that keeps it; null where it was kept before that was noted. */
    gatewayAccountId: column.id().nullable(),
    /** What payments give as their token, sealed; null until the PSP has said it. */
    referenceSealed: column.document().nullable(),
    /** Since when it is none of the customer's any more, or not yet: only what must be forgotten at the PSP (method-forgetting.ts). */
    leavingAt: column.instant().nullable(),
    isDefault: column.flag(),
    brand: column.text(30).nullable(),
    last4: column.text(4).nullable(),
    bin: column.text(8).nullable(),
    funding: column.word<'credit' | 'debit' | 'prepaid'>(10).nullable(),
    expiryMonth: column.count().nullable(),
    expiryYear: column.count().nullable(),
    createdAt: column.instant(),
    updatedAt: column.instant(),
  },
  indexes: [
    { name: 'saved_methods_customer', properties: ['tenantId', 'customerId', 'createdAt', 'id'] },
    { name: 'saved_methods_created', properties: ['tenantId', 'createdAt', 'id'] },
  ],
});

export type SavedMethodRow = InferKyselyTable<typeof SavedMethodSchema>;

declare module '../../platform/database/tables.js' {
  interface Tables { saved_methods: SavedMethodRow }
}
