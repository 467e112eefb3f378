import { defineEntity } from '@mikro-orm/core';
import type { InferKyselyTable } from '@mikro-orm/mysql';
import type { RefundReason } from '../../gateways/contract/payment-gateway.js';
import { column } from '../../platform/database/columns.js';
import type { RefundOrigin, RefundStatus } from '../refund.js';

/** Money of a payment that is given back. Moved only under the payment's row lock. */
export const RefundSchema = defineEntity({
  name: 'Refund',
  tableName: 'refunds',
  properties: {
    id: column.id().primary(),
    tenantId: column.id(),
    paymentId: column.id(),
    version: column.count(),
    status: column.word<RefundStatus>(20),
    origin: column.word<RefundOrigin>(10),
    amountMinor: column.amount(),
    currency: column.text(3),
    reason: column.word<RefundReason>(30).nullable(),
    failure: column.document().nullable(),
    /** The PSP's id of the refund, where it gives one. */
    gatewayReference: column.bytes(255).nullable(),
    createdAt: column.instant(),
    updatedAt: column.instant(),
  },
  indexes: [
    { name: 'refunds_payment', properties: ['tenantId', 'paymentId', 'id'] },
    { name: 'refunds_created', properties: ['tenantId', 'createdAt', 'id'] },
    { name: 'refunds_status', properties: ['tenantId', 'status', 'createdAt', 'id'] },
  ],
});

export type RefundRow = InferKyselyTable<typeof RefundSchema>;

declare module '../../platform/database/tables.js' {
  interface Tables { refunds: RefundRow }
}
