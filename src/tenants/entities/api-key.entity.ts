import { defineEntity } from '@mikro-orm/core';
import type { InferKyselyTable } from '@mikro-orm/mysql';
import { column } from '../../platform/database/columns.js';
import type { Role } from '../role.js';

/** A key of a tenant's. The key itself is kept nowhere; its SHA-256 suffices, since it is 190 random bits and not a password. */
export const ApiKeySchema = defineEntity({
  name: 'ApiKey',
  tableName: 'api_keys',
  properties: {
    id: column.id().primary(),
    tenantId: column.id(),
    name: column.text(120),
    role: column.word<Role>(10),
    hash: column.hash(),
    /** The last four characters, by which people tell keys apart. */
    hint: column.text(4),
    createdAt: column.instant(),
    revokedAt: column.instant().nullable(),
  },
  uniques: [{ name: 'api_keys_hash', properties: ['hash'] }],
  indexes: [{ name: 'api_keys_tenant', properties: ['tenantId', 'createdAt'] }],
});

export type ApiKeyRow = InferKyselyTable<typeof ApiKeySchema>;

declare module '../../platform/database/tables.js' {
  interface Tables { api_keys: ApiKeyRow }
}
