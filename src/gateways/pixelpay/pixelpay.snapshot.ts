import type { Currency } from '../../shared/currency.js';
import type { PaymentSnapshot, RefundSnapshot, SnapshotFacts, SnapshotOutcome } from '../contract/payment-gateway.js';
import { declineOf, feesOf, fraudScoreOf, lookUp, minorMoney, PAYMENT_STATES, REFUND_STATES, RESPONSE_CODES } from './pixelpay.mapping.js';
import type { PixelpayAcceptance, PixelpayFailure, PixelpayPayment, PixelpayRefund } from './pixelpay.types.js';

/** A charge that PixelPay took in. `success` says no more than `pending`: whether money moved is told later (psp/pixelpay.md §2.4). */
export function acceptanceSnapshot(accepted: PixelpayAcceptance): PaymentSnapshot {
  const known = lookUp(RESPONSE_CODES, accepted.status)?.kind === 'accepted';
  return {
    ...factsOf(accepted), amount: null, captured: null, refunded: null, ...feesOf(accepted, accepted.currency, null),
    status: 'pending', ...(known ? {} : { unmapped: accepted.status }),
  };
}

/** How a payment stands, as a look-up shows it. */
export function paymentSnapshot(payment: PixelpayPayment): PaymentSnapshot {
  const amount = minorMoney(payment.amount, payment.currency);
  const outcome = outcomeOf(payment);
  return {
    ...factsOf(payment), amount, captured: outcome.status === 'captured' ? amount : null, refunded: minorMoney(payment.refunded_amount, payment.currency),
    // What was not taken costs nothing.
    ...(outcome.status === 'declined' ? {} : feesOf(payment, payment.currency, amount)), ...outcome,
  };
}

function outcomeOf(payment: PixelpayPayment): SnapshotOutcome {
  const status = lookUp(PAYMENT_STATES, payment.status);
  if (status === 'declined') return { status, decline: declineOf(payment.error_code ?? payment.status, payment.error_message) };
  return status === undefined ? { status: 'pending', unmapped: payment.status } : { status };
}

function factsOf(answer: PixelpayAcceptance): Pick<SnapshotFacts, 'reference' | 'ourReference' | 'authorizationCode' | 'pspCode' | 'fraudScore' | 'raw'> {
  const fraudScore = fraudScoreOf(answer.fraud_score);
  return {
    reference: answer.txn_id,
    ourReference: answer.order_id ?? null,
    ...(answer.auth_code == null ? {} : { authorizationCode: answer.auth_code }),
    pspCode: answer.status,
    ...(fraudScore === undefined ? {} : { fraudScore }),
    raw: answer,
  };
}

/** A refusal of the card at the time of the charge. It names no transaction. */
export function declineSnapshot(failure: PixelpayFailure): PaymentSnapshot {
  return { status: 'declined', decline: declineOf(failure.status, failure.error_message), reference: null, ourReference: null, amount: null, captured: null, refunded: null, raw: failure };
}

/** A refund that PixelPay took in; whether it was done is told later. */
export function refundAcceptanceSnapshot(refund: PixelpayRefund, currency: Currency): RefundSnapshot {
  return { ...refundFactsOf(refund, currency), status: 'pending', ...(refund.status === 'pending' ? {} : { unmapped: refund.status }) };
}

/** How a refund stands, as a look-up shows it. */
export function refundSnapshot(refund: PixelpayRefund, currency: Currency): RefundSnapshot {
  const facts = refundFactsOf(refund, currency);
  const status = lookUp(REFUND_STATES, refund.status);
  if (status === 'failed') return { ...facts, status, message: 'PixelPay could not give the money back.' };
  return status === undefined ? { ...facts, status: 'pending', unmapped: refund.status } : { ...facts, status };
}

/** A refund that PixelPay would not begin. */
export function refundRefusalSnapshot(failure: PixelpayFailure): RefundSnapshot {
  const message = (failure.error_message ?? 'PixelPay refused the refund.').slice(0, 255);
  return { status: 'failed', message, reference: null, amount: null, pspCode: failure.status, raw: failure };
}

/** Refunds are in the payment's currency; their answers name none. */
function refundFactsOf(refund: PixelpayRefund, currency: Currency): Pick<RefundSnapshot, 'reference' | 'amount' | 'pspCode' | 'raw'> {
  return { reference: refund.refund_id, amount: minorMoney(refund.amount, currency), pspCode: refund.status, raw: refund };
}
