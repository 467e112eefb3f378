import { money } from '../shared/money.js';
import type { PaymentAttemptRow } from './entities/payment-attempt.entity.js';
import type { PaymentRow } from './entities/payment.entity.js';
import type { RefundRow } from './entities/refund.entity.js';
import type { Refund } from './refund.js';
import type { Attempt, Payment, PaymentFees } from './payment.js';

/** Between rows and what the service thinks in. Rows carry bytes, numbers and JSON text; beyond here there are strings, bigint and objects. */

const text = (bytes: Buffer | null): string | null => bytes?.toString('utf8') ?? null;
const bytes = (value: string | null): Buffer | null => (value === null ? null : Buffer.from(value, 'utf8'));
const parsed = <T>(document: string | null): T | null => (document === null ? null : JSON.parse(document) as T);
const document = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
/** The columns are BIGINT; the API's bound of 2⁵³−1 makes the driver's number exact. */
const minor = (amountMinor: bigint): number => Number(amountMinor);

export function paymentOf(row: PaymentRow): Payment {
  return {
    id: row.id, tenantId: row.tenant_id, version: row.version,
    state: { status: row.status, processingReason: row.processing_reason },
    pendingOperation: row.pending_operation, authorizationExpiresAt: row.authorization_expires_at,
    amount: money(row.amount_minor, row.currency), capturedMinor: BigInt(row.captured_minor), fees: feesOf(row), savingsMinor: row.savings_minor === null ? null : BigInt(row.savings_minor), refundCount: row.refund_count,
    captureMethod: row.capture_method, gateway: row.gateway, gatewayReference: text(row.gateway_reference),
    authorizationCode: row.authorization_code, fraudScore: row.fraud_score === null ? null : Number(row.fraud_score),
    reference: text(row.reference), uniqueReference: text(row.unique_reference), description: row.description, returnUrl: row.return_url,
    customerId: row.customer_id, customer: JSON.parse(row.customer) as Payment['customer'], metadata: JSON.parse(row.metadata) as Payment['metadata'],
    method: parsed(row.payment_method), tokensSealed: row.tokens_sealed,
    nextAction: nextActionOf(row.next_action), failure: parsed(row.failure), threeDs: parsed(row.three_ds), plan: parsed(row.plan),
    expiresAt: row.expires_at, createdAt: row.created_at, updatedAt: row.updated_at,
  };
}

export function paymentColumns(payment: Payment): Omit<PaymentRow, 'tenant_id'> {
  return {
    id: payment.id, version: payment.version, status: payment.state.status, processing_reason: payment.state.processingReason,
    pending_operation: payment.pendingOperation, authorization_expires_at: payment.authorizationExpiresAt,
    amount_minor: minor(payment.amount.amountMinor), captured_minor: minor(payment.capturedMinor), currency: payment.amount.currency,
    fee_minor: payment.fees === null ? null : minor(payment.fees.fee),
    fee_percent_minor: payment.fees?.breakdown == null ? null : minor(payment.fees.breakdown.percentMinor),
    fee_fixed_minor: payment.fees?.breakdown == null ? null : minor(payment.fees.breakdown.fixedMinor),
    fee_tax_minor: payment.fees?.breakdown == null ? null : minor(payment.fees.breakdown.taxMinor),
    net_minor: payment.fees?.net == null ? null : minor(payment.fees.net), fee_source: payment.fees?.source ?? null,
    savings_minor: payment.savingsMinor === null ? null : minor(payment.savingsMinor), refund_count: payment.refundCount,
    capture_method: payment.captureMethod, gateway: payment.gateway, gateway_reference: bytes(payment.gatewayReference),
    authorization_code: payment.authorizationCode, fraud_score: payment.fraudScore === null ? null : String(payment.fraudScore),
    reference: bytes(payment.reference), unique_reference: bytes(payment.uniqueReference), description: payment.description, return_url: payment.returnUrl,
    customer_id: payment.customerId, customer: JSON.stringify(payment.customer), metadata: JSON.stringify(payment.metadata),
    payment_method: document(payment.method), tokens_sealed: payment.tokensSealed, next_action: document(payment.nextAction),
    failure: document(payment.failure), three_ds: document(payment.threeDs), plan: document(payment.plan),
    expires_at: payment.expiresAt, created_at: payment.createdAt, updated_at: payment.updatedAt,
  };
}

export function attemptOf(row: PaymentAttemptRow): Attempt {
  return {
    id: row.id, tenantId: row.tenant_id, paymentId: row.payment_id, gateway: row.gateway, gatewayAccountId: row.gateway_account_id,
    operation: row.operation, refundId: row.refund_id, returnsAttemptId: row.returns_attempt_id, status: row.status, amount: money(row.amount_minor, row.currency), gatewayReference: text(row.gateway_reference),
    code: row.code, pspCode: row.psp_code, latencyMs: row.latency_ms, sentAt: row.sent_at, deadlineAt: row.deadline_at,
    lookUps: row.look_ups, nextLookUpAt: row.next_look_up_at, firstAbsentAt: row.first_absent_at, answer: row.answer, createdAt: row.created_at,
  };
}

export function refundOf(row: RefundRow): Refund {
  return {
    id: row.id, tenantId: row.tenant_id, paymentId: row.payment_id, version: row.version, status: row.status, origin: row.origin,
    amount: money(row.amount_minor, row.currency), reason: row.reason, failure: parsed(row.failure), gatewayReference: text(row.gateway_reference),
    createdAt: row.created_at, updatedAt: row.updated_at,
  };
}

export function refundColumns(refund: Refund): Omit<RefundRow, 'tenant_id'> {
  return {
    id: refund.id, payment_id: refund.paymentId, version: refund.version, status: refund.status, origin: refund.origin,
    amount_minor: minor(refund.amount.amountMinor), currency: refund.amount.currency, reason: refund.reason, failure: document(refund.failure),
    gateway_reference: bytes(refund.gatewayReference), created_at: refund.createdAt, updated_at: refund.updatedAt,
  };
}

/** The columns of an attempt that change after it was made. */
export function attemptChanges(attempt: Attempt) {
  return {
    status: attempt.status, gateway_reference: bytes(attempt.gatewayReference), code: attempt.code, psp_code: attempt.pspCode,
    latency_ms: attempt.latencyMs, look_ups: attempt.lookUps, next_look_up_at: attempt.nextLookUpAt, first_absent_at: attempt.firstAbsentAt,
    answer: attempt.answer,
  } satisfies Partial<PaymentAttemptRow>;
}

function feesOf(row: PaymentRow): PaymentFees | null {
  if (row.fee_minor === null) return null;
  const breakdown = row.fee_percent_minor === null ? null
    : { percentMinor: BigInt(row.fee_percent_minor), fixedMinor: BigInt(row.fee_fixed_minor ?? 0), taxMinor: BigInt(row.fee_tax_minor ?? 0) };
  return { fee: BigInt(row.fee_minor), breakdown, net: row.net_minor === null ? null : BigInt(row.net_minor), source: row.fee_source ?? 'psp' };
}

function nextActionOf(column: string | null): Payment['nextAction'] {
  const action = parsed<NonNullable<Payment['nextAction']> & { expiresAt: string }>(column);
  return action === null ? null : { ...action, expiresAt: new Date(action.expiresAt) };
}
