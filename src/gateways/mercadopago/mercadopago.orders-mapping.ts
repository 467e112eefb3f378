import { isCurrency, type Currency } from '../../shared/currency.js';
import type { Money } from '../../shared/money.js';
import { minorUnitsOf } from '../contract/decimal.js';
import type { Decline, PaymentSnapshot, RefundSnapshot, SnapshotOutcome } from '../contract/payment-gateway.js';
import { again, cardOf, final, isDisputed, lookUp, REJECTIONS, VOUCHER_MS, CHALLENGE_MS, type Verdict } from './mercadopago.mapping.js';
import type { MercadopagoOrder, OrderRefund } from './mercadopago.orders-types.js';

/** Pure tables between the words of the Orders API and ours (psp/mercadopago.md §5.3): another vocabulary than that of payments. Both are open. */

/** `status` of an order in which the money was taken, whatever was given back or is disputed since. */
export const ORDERS_TAKEN: ReadonlySet<string> = new Set(['processed', 'refunded', 'charged_back']);
/** Those that wait; what for, the detail says. */
export const ORDERS_WAITING: ReadonlySet<string> = new Set(['created', 'processing', 'action_required', 'at_terminal']);
/** Those that are over; one of them is spelt in two ways. */
export const ORDERS_ENDED: Readonly<Record<string, 'voided' | 'expired'>> = { canceled: 'voided', cancelled: 'voided', expired: 'expired' };

/** Why an order's payment failed: its `status_detail`, where it is not one of the payments' own (REJECTIONS). */
export const FAILURES: Readonly<Record<string, Verdict>> = {
  bad_filled_card_data: final('invalid_card'),
  required_call_for_authorize: final('contact_issuer'),
  card_disabled: final('contact_issuer'),
  high_risk: final('fraud_suspected'),
  insufficient_amount: final('insufficient_funds'),
  invalid_installments: final('processing_error'),
  max_attempts_exceeded: final('limit_exceeded'),
  rejected_other_reason: final('card_declined'),
  processing_error: again('processing_error'),
  rejected_by_issuer: final('card_declined'),
  amount_limit_exceeded: final('limit_exceeded'),
  '3ds_challenge_expired': final('authentication_failed'),
  invalid_card_token: final('invalid_card'),
};

/** `status` of a refund within an order: as orders call it, and as the SDK's types do (`approved`, `pending`). */
export const ORDER_REFUND_STATES: Readonly<Record<string, 'succeeded' | 'pending' | 'failed'>> = {
  processed: 'succeeded', approved: 'succeeded', processing: 'pending', in_process: 'pending', created: 'pending', pending: 'pending', failed: 'failed', rejected: 'failed', canceled: 'failed', cancelled: 'failed',
};

/** An order may name its country alone: alpha-3 in the samples (§5.2), of which that for Peru is not verified. */
const CURRENCIES: Readonly<Record<string, Currency>> = {
  PER: 'PEN', MEX: 'MXN', ARG: 'ARS', BRA: 'BRL', CHL: 'CLP', COL: 'COP', URY: 'UYU', PE: 'PEN', MX: 'MXN', AR: 'ARS', BR: 'BRL', CL: 'CLP', CO: 'COP', UY: 'UYU',
};

/** How an order stands, as MercadoPago shows it. It tells no fee. */
export function orderSnapshot(order: MercadopagoOrder): PaymentSnapshot {
  const currency = currencyOf(order);
  const amount = moneyIn(order.total_amount, currency);
  const outcome = outcomeOf(order);
  const method = paymentOf(order)?.payment_method;
  return {
    reference: order.id, ourReference: order.external_reference ?? null, amount, captured: outcome.status === 'captured' ? amount : null, refunded: refundedOf(order, amount, currency),
    card: cardOf({ card: null, payment_method_id: method?.id, payment_type_id: method?.type }), ...(isDisputed(order) ? { isDisputed: true } : {}), pspCode: detailOf(order).slice(0, 80), raw: order, ...outcome,
  };
}

/** How a refund stands. */
export function orderRefundSnapshot(refund: OrderRefund, currency: Currency): RefundSnapshot {
  const facts = { reference: refund.id, amount: moneyIn(refund.amount, currency), pspCode: refund.status, raw: refund };
  const status = lookUp(ORDER_REFUND_STATES, refund.status);
  if (status === undefined) return { ...facts, status: 'pending', unmapped: refund.status };
  return status === 'failed' ? { ...facts, status, message: `MercadoPago did not give the money back (${refund.status}).` } : { ...facts, status };
}

function outcomeOf(order: MercadopagoOrder): SnapshotOutcome {
  const { status, status_detail: detail } = order;
  if (ORDERS_TAKEN.has(status)) return { status: 'captured' };
  if (status === 'failed') return { status: 'declined', decline: declineOf(detailOf(order)) };
  const ended = lookUp(ORDERS_ENDED, status);
  if (ended !== undefined) return { status: ended };
  if (status === 'action_required' && detail === 'waiting_capture') return { status: 'authorized' };
  return ORDERS_WAITING.has(status) ? actionOf(order) : { status: 'pending', unmapped: status };
}

/** What the customer must do, if anything. */
function actionOf(order: MercadopagoOrder): SnapshotOutcome {
  const createdMs = Date.parse(order.created_date ?? '') || 0;
  const payment = paymentOf(order);
  const method = payment?.payment_method;
  const challenge = method?.transaction_security?.url;
  if (order.status_detail === 'pending_challenge' && challenge != null) return { status: 'requires_action', action: { type: 'three_ds', url: challenge, creq: null, expiresAt: new Date(createdMs + CHALLENGE_MS) } };
  if (order.status_detail === 'waiting_payment' && method?.ticket_url != null) {
    return { status: 'requires_action', action: { type: 'pay_code', url: method.ticket_url, code: method.reference ?? null, expiresAt: new Date(Date.parse(payment?.date_of_expiration ?? '') || createdMs + VOUCHER_MS) } };
  }
  return { status: 'pending' };
}

/** Ours have one payment each. */
function paymentOf(order: MercadopagoOrder) {
  return order.transactions?.payments?.[0];
}

/** The payment says more than the order. */
function detailOf(order: MercadopagoOrder): string {
  const [first, second] = [paymentOf(order)?.status_detail, order.status_detail];
  return first ?? second ?? order.status;
}

function declineOf(detail: string): Decline {
  const { code, retryable } = lookUp(FAILURES, detail) ?? lookUp(REJECTIONS, detail) ?? final('card_declined');
  return { code, retryable, pspCode: detail.slice(0, 80), message: `MercadoPago rejected the payment (${detail.slice(0, 80)}).` };
}

export function currencyOf({ currency, country_code: country }: MercadopagoOrder): Currency | undefined {
  return currency != null && isCurrency(currency) ? currency : lookUp(CURRENCIES, country);
}

/** A decimal text in our terms; null in a currency that we do not know, or when it is no whole number of minor units. */
function moneyIn(decimal: string | null | undefined, currency: Currency | undefined): Money | null {
  const amountMinor = decimal == null || currency === undefined ? null : minorUnitsOf(decimal, currency);
  return amountMinor === null || currency === undefined ? null : { amountMinor, currency };
}

/** What was given back, by the payment's own word and by what its refunds add up to. Null where that cannot be told: they differ, a refund's word is in no table, or a part is not listed. */
function refundedOf(order: MercadopagoOrder, amount: Money | null, currency: Currency | undefined): Money | null {
  if (amount === null || order.status === 'refunded') return amount;
  const payment = paymentOf(order);
  const told = payment?.refunded_amount == null ? undefined : moneyIn(payment.refunded_amount, currency)?.amountMinor ?? null;
  const listed = listedMinor(order.transactions?.refunds ?? [], amount.currency);
  const amountMinor = told === undefined || told === listed ? listed : listed === null ? told : null;
  const isUnlisted = amountMinor === 0n && [order.status_detail, payment?.status_detail].includes('partially_refunded');
  return amountMinor === null || isUnlisted ? null : { ...amount, amountMinor };
}

function listedMinor(refunds: readonly OrderRefund[], currency: Currency): bigint | null {
  const parts = refunds.map(({ status, amount }) => {
    const state = lookUp(ORDER_REFUND_STATES, status);
    if (state === undefined) return null;
    return state === 'succeeded' ? moneyIn(amount, currency)?.amountMinor ?? null : 0n;
  });
  return parts.includes(null) ? null : parts.reduce<bigint>((sum, part) => sum + (part ?? 0n), 0n);
}
