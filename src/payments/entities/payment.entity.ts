import { defineEntity } from '@mikro-orm/core';
import type { InferKyselyTable } from '@mikro-orm/mysql';
import type { CaptureMethod } from '../../gateways/contract/payment-gateway.js';
import { column } from '../../platform/database/columns.js';
import type { PaymentStatus, ProcessingReason } from '../payment-state.js';

/** One payment of a tenant's. Moved only under its row lock (apply-snapshot.ts). */
export const PaymentSchema = defineEntity({
  name: 'Payment',
  tableName: 'payments',
  properties: {
    id: column.id().primary(),
    tenantId: column.id(),
    version: column.count(),
    status: column.word<PaymentStatus>(20),
    processingReason: column.word<ProcessingReason>(24).nullable(),
    pendingOperation: column.word<'capture' | 'void'>(10).nullable(),
    authorizationExpiresAt: column.instant().nullable(),
    amountMinor: column.amount(),
    capturedMinor: column.amount(),
    currency: column.text(3),
    feeMinor: column.amount().nullable(),
    feePercentMinor: column.amount().nullable(),
    feeFixedMinor: column.amount().nullable(),
    feeTaxMinor: column.amount().nullable(),
    netMinor: column.amount().nullable(),
    feeSource: column.word<'psp' | 'table'>(8).nullable(),
    savingsMinor: column.amount().nullable(),
    /** How many refunds it has; they are read only where there are any. */
    refundCount: column.count(),
    captureMethod: column.word<CaptureMethod>(10),
    gateway: column.word(32).nullable(),
    gatewayReference: column.bytes(255).nullable(),
    authorizationCode: column.text(64).nullable(),
    fraudScore: column.text(16).nullable(),
    reference: column.bytes(256).nullable(),
    /** The reference while it must stay unique among live payments; null once the payment has failed, or when uniqueness was not asked. */
    uniqueReference: column.bytes(256).nullable(),
    description: column.text(255).nullable(),
    returnUrl: column.text(2048).nullable(),
    customerId: column.id().nullable(),
    customer: column.document(),
    metadata: column.document(),
    /** What the API shows of the payment method: type, card facts, instalments. */
    paymentMethod: column.document().nullable(),
    /** The PSPs' tokens, sealed; null once the payment is final. */
    tokensSealed: column.document().nullable(),
    nextAction: column.document().nullable(),
    /** How the customer was authenticated; never the proof itself. */
    threeDs: column.document().nullable(),
    failure: column.document().nullable(),
    /** Which gateways were considered and why. */
    plan: column.document().nullable(),
    expiresAt: column.instant().nullable(),
    createdAt: column.instant(),
    updatedAt: column.instant(),
  },
  uniques: [{ name: 'payments_unique_reference', properties: ['tenantId', 'uniqueReference'] }],
  indexes: [
    { name: 'payments_created', properties: ['tenantId', 'createdAt', 'id'] },
    { name: 'payments_status', properties: ['tenantId', 'status', 'createdAt', 'id'] },
    { name: 'payments_reference', properties: ['tenantId', 'reference'] },
    { name: 'payments_customer', properties: ['tenantId', 'customerId', 'createdAt', 'id'] },
    { name: 'payments_gateway_reference', properties: ['tenantId', 'gatewayReference'] },
  ],
});

export type PaymentRow = InferKyselyTable<typeof PaymentSchema>;

declare module '../../platform/database/tables.js' {
  interface Tables { payments: PaymentRow }
}
