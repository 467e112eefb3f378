import { defineEntity } from '@mikro-orm/core';
import type { InferKyselyTable } from '@mikro-orm/mysql';
import { column } from '../../platform/database/columns.js';

/** A merchant using the service. */
export const TenantSchema = defineEntity({
  name: 'Tenant',
  tableName: 'tenants',
  properties: {
    id: column.id().primary(),
    name: column.text(120),
    country: column.text(2),
    defaultCurrency: column.text(3),
    email: column.text(254),
    locale: column.text(10),
    timeZone: column.text(64),
    /** What the tenant may set: see tenant-settings.ts. */
    settings: column.document().nullable(),
    /** What another provider would have charged, for `savings`. */
    referenceFees: column.document().nullable(),
    createdAt: column.instant(),
  },
});

export type TenantRow = InferKyselyTable<typeof TenantSchema>;

declare module '../../platform/database/tables.js' {
  interface Tables { tenants: TenantRow }
}
