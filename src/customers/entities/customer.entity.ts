import { defineEntity } from '@mikro-orm/core';
import type { InferKyselyTable } from '@mikro-orm/mysql';
import { column } from '../../platform/database/columns.js';

/** Somebody who pays a tenant again and again. */
export const CustomerSchema = defineEntity({
  name: 'Customer',
  tableName: 'customers',
  properties: {
    id: column.id().primary(),
    tenantId: column.id(),
    /** What the tenant calls the customer. */
    externalId: column.bytes(256).nullable(),
    email: column.text(254),
    firstName: column.text(80).nullable(),
    lastName: column.text(80).nullable(),
    phone: column.text(30).nullable(),
    country: column.text(2).nullable(),
    address: column.document().nullable(),
    document: column.document().nullable(),
    metadata: column.document(),
    createdAt: column.instant(),
    updatedAt: column.instant(),
    /** When it was forgotten who this is (customer-erasure.ts). */
    erasedAt: column.instant().nullable(),
  },
  uniques: [{ name: 'customers_external_id', properties: ['tenantId', 'externalId'] }],
  indexes: [
    { name: 'customers_created', properties: ['tenantId', 'createdAt', 'id'] },
    { name: 'customers_email', properties: ['tenantId', 'email'] },
  ],
});

export type CustomerRow = InferKyselyTable<typeof CustomerSchema>;

declare module '../../platform/database/tables.js' {
  interface Tables { customers: CustomerRow }
}
