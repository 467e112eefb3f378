import type { Currency } from '../../shared/currency.js';
import type { PaymentSnapshot, RefundSnapshot, SavedMethodSnapshot, SnapshotFacts, SnapshotOutcome } from '../contract/payment-gateway.js';
import { cardOf, declineOf, feesOf, hasFailed, moneyOf, SUCCESS } from './culqi.mapping.js';
import { errorSchema, type CulqiCharge, type CulqiError, type CulqiRefund } from './culqi.types.js';

/** How a charge stands, as Culqi shows it. */
export function chargeSnapshot(charge: CulqiCharge): PaymentSnapshot {
  const amount = moneyOf(charge.amount, charge.currency_code);
  const attemptId = charge.metadata?.attempt_id;
  const succeeded = charge.outcome?.type === SUCCESS;
  const facts: SnapshotFacts = {
    reference: charge.id,
    ourReference: typeof attemptId === 'string' ? attemptId : null,
    amount,
    captured: succeeded && charge.capture === true ? amount : null,
    refunded: charge.amount_refunded == null ? null : moneyOf(charge.amount_refunded, charge.currency_code),
    ...(succeeded ? feesOf(charge) : {}),
    card: cardOf(charge),
    ...(charge.authorization_code == null ? {} : { authorizationCode: charge.authorization_code }),
    ...(charge.outcome?.type == null ? {} : { pspCode: charge.outcome.type.slice(0, 80) }),
    ...(charge.fraud_score == null ? {} : { fraudScore: charge.fraud_score }),
    ...(charge.dispute === true ? { isDisputed: true } : {}),
    raw: kept(charge),
  };
  return { ...facts, ...outcomeOf(charge) };
}

function outcomeOf(charge: CulqiCharge): SnapshotOutcome {
  const { outcome, capture } = charge;
  if (outcome?.type === SUCCESS) {
    if (capture === true) return { status: 'captured' };
    return { status: charge.amount_refunded === charge.amount ? 'voided' : 'authorized' };
  }
  if (hasFailed(charge)) {
    const word = outcome == null ? 'processing_error' : outcome.decline_code;
    return { status: 'declined', decline: declineOf(word, outcome?.code, outcome?.merchant_message) };
  }
  // Neither a success nor a failure that is documented: it waits, and somebody looks (architecture §4).
  return { status: 'pending', unmapped: (outcome?.type ?? outcome?.code ?? 'none').slice(0, 80) };
}

/** A refusal of the card at the time of the charge. The failed charge is stored at Culqi under `charge_id`. */
export function declineSnapshot(error: CulqiError): PaymentSnapshot {
  return {
    status: 'declined', decline: declineOf(error.decline_code, error.code, error.merchant_message),
    reference: error.charge_id ?? null, ourReference: null, amount: null, captured: null, refunded: null, raw: errorSchema.parse(error),
  };
}

/** A refusal of the card when it was to be kept. */
export function savedDecline(error: CulqiError): SavedMethodSnapshot {
  return { status: 'declined', decline: declineOf(error.decline_code, error.code, error.merchant_message) };
}

/** A refund that Culqi has done. Its answers name no currency: it is the charge's. */
export function refundSnapshot(refund: CulqiRefund, currency: Currency): RefundSnapshot {
  return { status: 'succeeded', reference: refund.id, amount: moneyOf(refund.amount, currency), raw: refund };
}

/** What is kept of a charge for the audit trail: what we read of it, without the metadata of others. */
function kept({ metadata: _metadata, ...charge }: CulqiCharge): unknown {
  return charge;
}
