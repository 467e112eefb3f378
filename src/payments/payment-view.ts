import { toJsonAmount } from '../shared/money.js';
import type { AttemptDto, FeeBreakdownDto, PaymentDto } from './dto/payment.dto.js';
import { failureView } from './failure-view.js';
import { refundView } from './refund-view.js';
import { refundedOf } from './refund.js';
import type { Attempt, Payment, PaymentRecord } from './payment.js';

/** A payment as the API shows it (design/api.md, "Payments"). Only views format: amounts become JSON numbers, instants RFC 3339 text. */
export function paymentView({ payment, attempts, refunds }: PaymentRecord, locale: string): PaymentDto {
  const { succeededMinor, pendingMinor } = refundedOf(refunds);
  const { fees, state } = payment;
  return {
    id: payment.id, version: payment.version, status: state.status, processingReason: state.processingReason, pendingOperation: payment.pendingOperation,
    amount: toJsonAmount(payment.amount.amountMinor), amountCaptured: toJsonAmount(payment.capturedMinor),
    amountRefunded: toJsonAmount(succeededMinor), amountRefundPending: toJsonAmount(pendingMinor), currency: payment.amount.currency,
    fee: fees === null ? null : toJsonAmount(fees.fee), feeSource: fees?.source ?? null, feeBreakdown: breakdownView(payment),
    net: fees?.net == null ? null : toJsonAmount(fees.net), savings: payment.savingsMinor === null ? null : toJsonAmount(payment.savingsMinor),
    gateway: payment.gateway, gatewayReference: payment.gatewayReference, authorizationCode: payment.authorizationCode, authorizationExpiresAt: payment.authorizationExpiresAt?.toISOString() ?? null,
    reference: payment.reference, description: payment.description, captureMethod: payment.captureMethod,
    nextAction: payment.nextAction === null ? null : { ...payment.nextAction, expiresAt: payment.nextAction.expiresAt.toISOString() },
    failure: failureView(payment.failure, locale),
    refunds: refunds.map((refund) => refundView(refund, locale)),
    paymentMethod: methodView(payment), attempts: attempts.map(attemptView),
    threeDs: payment.threeDs, fraudScore: payment.fraudScore, customer: { ...(payment.customerId === null ? {} : { id: payment.customerId }), ...payment.customer }, metadata: payment.metadata,
    expiresAt: payment.expiresAt?.toISOString() ?? null, createdAt: payment.createdAt.toISOString(), updatedAt: payment.updatedAt.toISOString(),
  };
}

/** Without what was said to a PSP alone. */
function methodView({ method }: Payment): PaymentDto['paymentMethod'] {
  if (method === null) return null;
  const { options: _options, saved, ...shown } = method;
  return saved === undefined ? shown : { ...shown, type: 'saved', savedMethodId: saved.id, initiatedBy: saved.initiatedBy ?? 'customer' };
}

function breakdownView({ fees }: Payment): FeeBreakdownDto | null {
  if (fees?.breakdown == null) return null;
  const { percentMinor, fixedMinor, taxMinor } = fees.breakdown;
  return { percent: toJsonAmount(percentMinor), fixed: toJsonAmount(fixedMinor), tax: toJsonAmount(taxMinor) };
}

function attemptView(attempt: Attempt): AttemptDto {
  return {
    id: attempt.id, gateway: attempt.gateway, operation: attempt.operation, status: attempt.status, gatewayReference: attempt.gatewayReference,
    code: attempt.code, pspCode: attempt.pspCode, latencyMs: attempt.latencyMs, createdAt: attempt.createdAt.toISOString(),
  };
}
