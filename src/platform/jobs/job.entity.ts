import { defineEntity } from '@mikro-orm/core';
import type { InferKyselyTable } from '@mikro-orm/mysql';
import { column } from '../database/columns.js';

/**
 * Work to be done later, written in the transaction that makes it due: outbox and queue in one. Done work is deleted.
 * `run_at` is the time from which it may be claimed; a claim moves it to the end of the lease. Null: dead, a person must look.
 */
export const JobSchema = defineEntity({
  name: 'Job',
  tableName: 'jobs',
  properties: {
    id: column.id().primary(),
    kind: column.word(),
    /** At most one job alive under this name. */
    uniqueKey: column.bytes(191).nullable(),
    tenantId: column.id(),
    /** What its work waits for, by name: a gateway. Null for work of our own. What stands still holds up nothing but its lane. */
    lane: column.word(32).nullable(),
    traceId: column.text(64).nullable(),
    payload: column.document(),
    runAt: column.instant().nullable(),
    attempts: column.count(),
    leaseToken: column.id().nullable(),
    lastError: column.text(255).nullable(),
    createdAt: column.instant(),
  },
  uniques: [{ name: 'jobs_unique_key', properties: ['uniqueKey'] }],
  indexes: [{ name: 'jobs_run_at', properties: ['runAt'] }, { name: 'jobs_lane', properties: ['lane', 'runAt'] }],
});

export type JobRow = InferKyselyTable<typeof JobSchema>;

declare module '../database/tables.js' {
  interface Tables { jobs: JobRow }
}
