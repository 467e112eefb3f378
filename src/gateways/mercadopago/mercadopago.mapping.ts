import { isCurrency } from '../../shared/currency.js';
import type { Money } from '../../shared/money.js';
import { minorUnitsOf } from '../contract/decimal.js';
import type { JsonNumber } from '../contract/exact-json.js';
import type { CardFacts, Decline, DeclineCode } from '../contract/payment-gateway.js';
import type { MercadopagoPayment } from './mercadopago.types.js';

/** Pure tables between MercadoPago's words and ours (psp/mercadopago.md §§2.3, 2.4). Both of its enums are open. */

export type Verdict = { code: DeclineCode; retryable: boolean };
export const final = (code: DeclineCode): Verdict => ({ code, retryable: false });
export const again = (code: DeclineCode): Verdict => ({ code, retryable: true });

/** The buyer has about five minutes for a challenge (psp/mercadopago.md §2.5). */
export const CHALLENGE_MS = 5 * 60_000;
/** PagoEfectivo's accreditation time, for a voucher that names no end (§2.9). */
export const VOUCHER_MS = 2 * 24 * 60 * 60_000;

/** `status_detail` of a rejected payment. */
export const REJECTIONS: Readonly<Record<string, Verdict>> = {
  bank_error: again('processing_error'),
  cc_rejected_3ds_challenge: final('authentication_failed'),
  cc_rejected_3ds_mandatory: final('authentication_failed'),
  cc_rejected_bad_filled_card_number: final('invalid_card'),
  cc_rejected_bad_filled_date: final('expired_card'),
  cc_rejected_bad_filled_other: final('invalid_card'),
  cc_rejected_bad_filled_security_code: final('incorrect_cvc'),
  cc_rejected_blacklist: final('fraud_suspected'),
  cc_rejected_call_for_authorize: final('contact_issuer'),
  cc_rejected_card_disabled: final('contact_issuer'),
  cc_rejected_card_error: final('card_declined'),
  cc_rejected_card_type_not_allowed: final('invalid_card'),
  cc_rejected_duplicated_payment: final('processing_error'),
  cc_rejected_high_risk: final('fraud_suspected'),
  cc_rejected_insufficient_amount: final('insufficient_funds'),
  cc_rejected_invalid_installments: final('processing_error'),
  cc_rejected_max_attempts: final('limit_exceeded'),
  cc_rejected_other_reason: final('card_declined'),
  cc_rejected_time_out: again('issuer_unavailable'),
  cc_amount_rate_limit_exceeded: final('limit_exceeded'),
  cc_unsupported_unsupported: final('invalid_card'),
  cc_rejected_form_error: final('invalid_card'),
  insufficient_amount: final('insufficient_funds'),
  rejected_by_bank: final('card_declined'),
  rejected_by_regulations: final('card_declined'),
  rejected_high_risk: final('fraud_suspected'),
  rejected_insufficient_data: final('processing_error'),
};

/** States in which the money was taken, whatever was given back or is disputed since. */
export const TAKEN: ReadonlySet<string> = new Set(['approved', 'refunded', 'charged_back']);
/** A chargeback, unless the merchant has the money again (psp/mercadopago.md §§2.4, 5.3). */
export function isDisputed({ status, status_detail: detail }: { status: string; status_detail?: string | null | undefined }): boolean {
  return status === 'charged_back' && detail !== 'reimbursed';
}
/** States that wait, for a person at MercadoPago or for the customer. */
export const WAITING: ReadonlySet<string> = new Set(['pending', 'in_process']);

/** `status_detail` of a cancelled payment: who ended it. */
export const CANCELLATIONS: Readonly<Record<string, 'expired' | 'voided'>> = { expired: 'expired', by_collector: 'voided', by_payer: 'voided' };

/** `status` of a refund. */
export const REFUND_STATES: Readonly<Record<string, 'succeeded' | 'pending' | 'failed'>> = { approved: 'succeeded', in_process: 'pending', rejected: 'failed', cancelled: 'failed' };

/** The entry under a PSP's word; undefined for every other word, `constructor` and its like included. */
export function lookUp<Entry>(table: Readonly<Record<string, Entry>>, word: string | null | undefined): Entry | undefined {
  return word != null && Object.hasOwn(table, word) ? table[word] : undefined;
}

/** A refusal of the card. A detail that is in no table is a plain decline under its own name: it is sure that the payment was rejected. */
export function declineOf(detail: string | null | undefined): Decline {
  const { code, retryable } = lookUp(REJECTIONS, detail) ?? final('card_declined');
  return { code, retryable, pspCode: (detail ?? 'rejected').slice(0, 80), message: `MercadoPago rejected the payment (${(detail ?? 'no detail').slice(0, 80)}).` };
}

/** A decimal in major units in our terms; null in a currency that we do not know, or when it is no whole number of minor units. */
export function moneyOf(decimal: JsonNumber | null | undefined, currency: string): Money | null {
  if (decimal == null || !isCurrency(currency)) return null;
  const amountMinor = minorUnitsOf(decimal.text, currency);
  return amountMinor === null ? null : { amountMinor, currency };
}

/** What the merchant pays of the fees, and what is left for them. MercadoPago does not tell the parts of its fee. */
export function feesOf(payment: MercadopagoPayment): { fee?: Money; net?: Money } {
  const own = (payment.fee_details ?? []).filter(({ fee_payer: payer }) => payer !== 'payer').map(({ amount }) => moneyOf(amount, payment.currency_id));
  const [first] = own;
  if (first == null || own.some((part) => part === null)) return {};
  const fee = own.reduce((sum, part) => sum + (part?.amountMinor ?? 0n), 0n);
  const net = moneyOf(payment.transaction_details?.net_received_amount, payment.currency_id);
  return { fee: { ...first, amountMinor: fee }, ...(net === null ? {} : { net }) };
}

const FUNDING: Readonly<Record<string, NonNullable<CardFacts['funding']>>> = { credit_card: 'credit', debit_card: 'debit', prepaid_card: 'prepaid' };

export function cardOf({ card, payment_method_id: brand, payment_type_id: type }: Pick<MercadopagoPayment, 'card' | 'payment_method_id' | 'payment_type_id'>): CardFacts {
  const funding = lookUp(FUNDING, type);
  return {
    ...(brand == null ? {} : { brand: brand.toLowerCase().slice(0, 30) }),
    ...(card?.last_four_digits == null ? {} : { last4: card.last_four_digits.slice(-4) }),
    ...(card?.first_six_digits == null ? {} : { bin: card.first_six_digits.slice(0, 8) }),
    ...(funding === undefined ? {} : { funding }),
  };
}
