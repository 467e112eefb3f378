import { defineEntity } from '@mikro-orm/core';
import type { InferKyselyTable } from '@mikro-orm/mysql';
import { column } from '../../platform/database/columns.js';

/** A tenant's account at a PSP, one row per version: payments keep the version they were made with. */
export const GatewayAccountSchema = defineEntity({
  name: 'GatewayAccount',
  tableName: 'gateway_accounts',
  properties: {
    id: column.id().primary(),
    tenantId: column.id(),
    gateway: column.word(32),
    version: column.count(),
    environment: column.word<'sandbox' | 'production'>(10),
    enabled: column.flag(),
    /** Sealed JSON of the credentials. */
    credentialsSealed: column.document(),
    /** What the PSP charges, where it does not report it itself. */
    fees: column.document().nullable(),
    settings: column.document().nullable(),
    createdAt: column.instant(),
    /** When the next version took over; null for the version in force. */
    supersededAt: column.instant().nullable(),
  },
  uniques: [{ name: 'gateway_accounts_version', properties: ['tenantId', 'gateway', 'version'] }],
});

export type GatewayAccountRow = InferKyselyTable<typeof GatewayAccountSchema>;

declare module '../../platform/database/tables.js' {
  interface Tables { gateway_accounts: GatewayAccountRow }
}
