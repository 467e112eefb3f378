import { defineEntity } from '@mikro-orm/core';
import type { InferKyselyTable } from '@mikro-orm/mysql';
import { column } from '../../platform/database/columns.js';
import type { AttemptOperation, AttemptStatus } from '../payment-state.js';

/** One call to one PSP, committed before the call is made. Its id is our reference at the PSP. */
export const PaymentAttemptSchema = defineEntity({
  name: 'PaymentAttempt',
  tableName: 'payment_attempts',
  properties: {
    id: column.id().primary(),
    tenantId: column.id(),
    paymentId: column.id(),
    gateway: column.word(32),
    /** The account version whose credentials were used. */
    gatewayAccountId: column.id(),
    /** The refund that is asked for, if any. */
    refundId: column.id().nullable(),
    /** The attempt whose stray money this one gives back, if any (return-job.ts). */
    returnsAttemptId: column.id().nullable(),
    operation: column.word<AttemptOperation>(10),
    status: column.word<AttemptStatus>(20),
    amountMinor: column.amount(),
    currency: column.text(3),
    gatewayReference: column.bytes(255).nullable(),
    /** Normalised code of a decline or failure. */
    code: column.word().nullable(),
    pspCode: column.text(80).nullable(),
    latencyMs: column.count().nullable(),
    /** When the call was about to go out, and when it could at the latest have gone out. */
    sentAt: column.instant(),
    deadlineAt: column.instant(),
    /** Scheduled look-ups made so far: the step of the schedule. */
    lookUps: column.count(),
    nextLookUpAt: column.instant().nullable(),
    /** When the PSP first showed none although the call could no longer happen. */
    firstAbsentAt: column.instant().nullable(),
    /** When a reader last pulled the look-up forward. */
    pulledForwardAt: column.instant().nullable(),
    /** What the PSP last answered, without tokens, keys and card data. */
    answer: column.document().nullable(),
    /** A snapshot that could not be applied yet. */
    unappliedSnapshot: column.document().nullable(),
    createdAt: column.instant(),
    updatedAt: column.instant(),
  },
  indexes: [{ name: 'payment_attempts_payment', properties: ['tenantId', 'paymentId', 'id'] }],
});

export type PaymentAttemptRow = InferKyselyTable<typeof PaymentAttemptSchema>;

declare module '../../platform/database/tables.js' {
  interface Tables { payment_attempts: PaymentAttemptRow }
}
