import { defineEntity } from '@mikro-orm/core';
import type { InferKyselyTable } from '@mikro-orm/mysql';
import { column } from '../database/columns.js';

/** What became of one tenant's key. `running`: an owner works on it until its lease ends; `done`: the answer, for ever the same. */
export const IdempotencyKeySchema = defineEntity({
  name: 'IdempotencyKey',
  tableName: 'idempotency_keys',
  properties: {
    tenantId: column.id().primary(),
    idempotencyKey: column.bytes(255).primary(),
    /** SHA-256 of route and canonical body. */
    fingerprint: column.hash(),
    state: column.word<'running' | 'done'>(10),
    /** Names the try that works on it; every write is guarded by it. */
    owner: column.id(),
    /** By the database's clock. */
    leaseEndsAt: column.instant(),
    /** What the key is tied to before any PSP is called. */
    attemptId: column.id().nullable(),
    /** The payment that its answer shows, or whose refund it shows; null while there is none. */
    paymentId: column.id().nullable(),
    statusCode: column.count(),
    body: column.blob().nullable(),
    createdAt: column.instant(),
  },
  indexes: [{ name: 'idempotency_keys_attempt', properties: ['attemptId'] }, { name: 'idempotency_keys_payment', properties: ['tenantId', 'paymentId'] }, { name: 'idempotency_keys_created', properties: ['createdAt'] }],
});

export type IdempotencyKeyRow = InferKyselyTable<typeof IdempotencyKeySchema>;

declare module '../database/tables.js' {
  interface Tables { idempotency_keys: IdempotencyKeyRow }
}
