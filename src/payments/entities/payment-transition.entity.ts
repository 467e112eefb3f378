import { defineEntity } from '@mikro-orm/core';
import type { InferKyselyTable } from '@mikro-orm/mysql';
import { column } from '../../platform/database/columns.js';
import type { PaymentStatus, ProcessingReason, TransitionCause } from '../payment-state.js';

/** A step of a payment's history; append-only. One row per version of the payment. */
export const PaymentTransitionSchema = defineEntity({
  name: 'PaymentTransition',
  tableName: 'payment_transitions',
  properties: {
    tenantId: column.id().primary(),
    paymentId: column.id().primary(),
    version: column.count().primary(),
    fromStatus: column.word<PaymentStatus>(20).nullable(),
    toStatus: column.word<PaymentStatus>(20),
    processingReason: column.word<ProcessingReason>(24).nullable(),
    cause: column.word<TransitionCause>(20),
    attemptId: column.id().nullable(),
    /** The refund that moved, if it was one; `detail` is then where it stands. */
    refundId: column.id().nullable(),
    detail: column.text(255).nullable(),
    traceId: column.text(64).nullable(),
    createdAt: column.instant(),
  },
});

export type PaymentTransitionRow = InferKyselyTable<typeof PaymentTransitionSchema>;

declare module '../../platform/database/tables.js' {
  interface Tables { payment_transitions: PaymentTransitionRow }
}
