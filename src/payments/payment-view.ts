import { toJsonAmount } from '../shared/money.js';
import type { AttemptDto, FeeBreakdownDto, PaymentDto } from './dto/payment.dto.js';
import { userMessage } from './user-messages.js';
import type { Attempt, Payment, PaymentWithAttempts } from './payment.js';

/** A payment as the API shows it (design/api.md, "Payments"). Only views format: amounts become JSON numbers, instants RFC 3339 text. */
export function paymentView({ payment, attempts }: PaymentWithAttempts, locale: string): PaymentDto {
  const { fees, state } = payment;
  return {
    id: payment.id, version: payment.version, status: state.status, processingReason: state.processingReason, pendingOperation: payment.pendingOperation,
    amount: toJsonAmount(payment.amount.amountMinor), amountCaptured: toJsonAmount(payment.capturedMinor),
    amountRefunded: 0, amountRefundPending: 0, currency: payment.amount.currency,
    fee: fees === null ? null : toJsonAmount(fees.fee), feeSource: fees === null ? null : 'psp', feeBreakdown: breakdownView(payment),
    net: fees?.net == null ? null : toJsonAmount(fees.net), savings: null,
    gateway: payment.gateway, gatewayReference: payment.gatewayReference, authorizationCode: payment.authorizationCode, authorizationExpiresAt: payment.authorizationExpiresAt?.toISOString() ?? null,
    reference: payment.reference, description: payment.description, captureMethod: payment.captureMethod,
    nextAction: payment.nextAction === null ? null : { ...payment.nextAction, expiresAt: payment.nextAction.expiresAt.toISOString() },
    failure: payment.failure === null ? null : { ...payment.failure, userMessage: userMessage(payment.failure.code, locale) },
    refunds: [],
    paymentMethod: payment.method, attempts: attempts.map(attemptView),
    threeDs: null, fraudScore: payment.fraudScore, customer: { ...payment.customer }, metadata: payment.metadata,
    expiresAt: payment.expiresAt?.toISOString() ?? null, createdAt: payment.createdAt.toISOString(), updatedAt: payment.updatedAt.toISOString(),
  };
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
