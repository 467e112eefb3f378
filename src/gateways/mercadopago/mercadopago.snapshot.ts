import type { Currency } from '../../shared/currency.js';
import type { GatewayContext, PaymentSnapshot, RefundSnapshot, SavedMethodSnapshot, SnapshotFacts, SnapshotOutcome } from '../contract/payment-gateway.js';
import { CANCELLATIONS, cardOf, CHALLENGE_MS, declineOf, feesOf, isDisputed, lookUp, moneyOf, REFUND_STATES, TAKEN, VOUCHER_MS, WAITING } from './mercadopago.mapping.js';
import type { MercadopagoCard, MercadopagoPayment, MercadopagoRefund } from './mercadopago.types.js';

/** How a payment stands, as MercadoPago shows it. */
export function paymentSnapshot(payment: MercadopagoPayment, environment: GatewayContext<unknown>['environment']): PaymentSnapshot {
  const amount = moneyOf(payment.transaction_amount, payment.currency_id);
  const outcome = earnest(outcomeOf(payment), payment, environment);
  const facts: SnapshotFacts = {
    reference: payment.id,
    ourReference: payment.external_reference ?? null,
    amount,
    captured: outcome.status === 'captured' ? amount : null,
    refunded: moneyOf(payment.transaction_amount_refunded, payment.currency_id),
    ...(outcome.status === 'captured' ? feesOf(payment) : {}),
    card: cardOf(payment),
    ...(payment.authorization_code == null ? {} : { authorizationCode: payment.authorization_code }),
    ...(isDisputed(payment) ? { isDisputed: true } : {}),
    pspCode: (payment.status_detail ?? payment.status).slice(0, 80),
    raw: payment,
  };
  return { ...facts, ...outcome };
}

/** Of an account in production a payment in test mode is no money, whatever it shows (psp/mercadopago.md §1). */
function earnest(outcome: SnapshotOutcome, { live_mode: isLive }: MercadopagoPayment, environment: GatewayContext<unknown>['environment']): SnapshotOutcome {
  const isPlayed = environment === 'production' && isLive === false && ['authorized', 'captured', 'requires_action'].includes(outcome.status);
  return isPlayed ? { status: 'pending', unmapped: 'live_mode false' } : outcome;
}

function outcomeOf(payment: MercadopagoPayment): SnapshotOutcome {
  const { status, status_detail: detail } = payment;
  if (status === 'approved' && payment.captured === false) return { status: 'authorized' };
  if (TAKEN.has(status)) return { status: 'captured' };
  if (status === 'authorized') return { status: 'authorized' };
  if (status === 'rejected') return { status: 'declined', decline: declineOf(detail) };
  if (status === 'cancelled') {
    const ended = lookUp(CANCELLATIONS, detail);
    return ended === undefined ? { status: 'pending', unmapped: `cancelled ${detail ?? ''}`.trim().slice(0, 80) } : { status: ended };
  }
  return WAITING.has(status) ? actionOf(payment) : { status: 'pending', unmapped: status };
}

/** What the customer must do, if anything: else somebody at MercadoPago decides. */
function actionOf({ status_detail: detail, three_ds_info: challenge, transaction_details: details, date_created: created, date_of_expiration: end }: MercadopagoPayment): SnapshotOutcome {
  const createdMs = Date.parse(created ?? '');
  const endsAt = (otherwiseMs: number): Date => new Date(Date.parse(end ?? '') || (createdMs || 0) + otherwiseMs);
  if (detail === 'pending_challenge' && challenge?.external_resource_url != null && challenge.creq != null) {
    return { status: 'requires_action', action: { type: 'three_ds', url: challenge.external_resource_url, creq: challenge.creq, expiresAt: new Date((createdMs || 0) + CHALLENGE_MS) } };
  }
  if (detail === 'pending_waiting_payment' && details?.external_resource_url != null) {
    return { status: 'requires_action', action: { type: 'pay_code', url: details.external_resource_url, code: details.payment_method_reference_id ?? null, expiresAt: endsAt(VOUCHER_MS) } };
  }
  return { status: 'pending' };
}

/** A card that MercadoPago keeps. What a payment needs of it, its brand too, stands in the reference. */
export function keptCard(customerId: string, { id, payment_method: method, first_six_digits, last_four_digits, expiration_month: month, expiration_year: year }: MercadopagoCard): SavedMethodSnapshot {
  const card = cardOf({ card: { first_six_digits, last_four_digits }, payment_method_id: method.id, payment_type_id: method.payment_type_id });
  const dates = { ...(month == null ? {} : { expiryMonth: Number(month.text) }), ...(year == null ? {} : { expiryYear: Number(year.text) }) };
  return { status: 'saved', reference: `${customerId}:${id}:${method.id}`, card: { ...card, ...dates } };
}

/** How a refund stands. Its answers name no currency: it is the payment's. */
export function refundSnapshot(refund: MercadopagoRefund, currency: Currency): RefundSnapshot {
  const facts = { reference: refund.id, amount: moneyOf(refund.amount, currency), pspCode: refund.status.slice(0, 80), raw: refund };
  const status = lookUp(REFUND_STATES, refund.status);
  if (status === undefined) return { ...facts, status: 'pending', unmapped: refund.status.slice(0, 80) };
  return status === 'failed' ? { ...facts, status, message: `MercadoPago did not give the money back (${refund.status.slice(0, 80)}).` } : { ...facts, status };
}
