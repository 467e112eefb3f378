import { type MercadopagoSettings, SITES, type Site } from './settings.js';
import { type BookedPayment, type BookedRefund, placesOf } from './payment.js';

/** An order of type online has one payment; both are the booked payment in another form (mercadopago.md §§5.1 to 5.3). */

/** Countries as orders name them, alpha-3 (§5.2). */
const COUNTRIES: Readonly<Record<Site, string>> = { MPE: 'PER', MLM: 'MEX', MLA: 'ARG', MLB: 'BRA', MLC: 'CHL', MCO: 'COL', MLU: 'URY' };

/** What a rejection is called in an order (§11, partly a reading of the pages); others are `rejected_other_reason`. */
const FAILURES: Readonly<Record<string, string>> = {
  cc_rejected_other_reason: 'rejected_other_reason', cc_rejected_call_for_authorize: 'required_call_for_authorize', cc_rejected_insufficient_amount: 'insufficient_amount',
  cc_rejected_bad_filled_security_code: 'bad_filled_card_data', cc_rejected_bad_filled_date: 'bad_filled_card_data', cc_rejected_bad_filled_other: 'bad_filled_card_data',
  cc_rejected_invalid_installments: 'invalid_installments', cc_rejected_card_disabled: 'card_disabled', cc_rejected_max_attempts: 'max_attempts_exceeded', cc_rejected_3ds_challenge: 'cc_rejected_3ds_challenge',
};

/** Orders and what belongs to them have ids like ULIDs. */
const named = (prefix: 'ORD' | 'PAY' | 'REF', id: number): string => `${prefix}01${String(id).padStart(24, '0')}`;
export const orderIdOf = ({ id }: Pick<BookedPayment, 'id'>): string => named('ORD', id);
export const transactionIdOf = ({ id }: Pick<BookedPayment, 'id'>): string => named('PAY', id);

/** The booked payment's number that an order's id stands for; null for any other text. */
export function numberOf(orderId: string): number | null {
  const digits = /^ORD01([0-9]{24})$/i.exec(orderId)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Amounts are texts, always with the currency's decimals. */
export function decimalText(minor: number, site: Site): string {
  const places = placesOf(site);
  const digits = String(minor).padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** Minor units that a text means; it has no decimals, or all of the currency's. */
export function minorOfText(value: unknown, site: Site): number | null {
  const match = typeof value === 'string' ? /^([0-9]{1,15})(?:\.([0-9]+))?$/.exec(value) : null;
  const [whole, fraction = ''] = match?.slice(1) ?? [];
  if (whole === undefined || (fraction !== '' && fraction.length !== placesOf(site))) return null;
  return Number(whole + fraction.padEnd(placesOf(site), '0'));
}

/** Status and detail of the order, and of its payment (§5.3). */
export function orderStatus({ status, status_detail: detail }: BookedPayment, cancelWord: MercadopagoSettings['cancelWord'] = 'canceled'): { status: string; detail: string } {
  switch (status) {
    case 'approved': return { status: 'processed', detail };
    case 'authorized': return { status: 'action_required', detail: 'waiting_capture' };
    case 'in_process': return { status: 'processing', detail: 'in_process' };
    case 'pending': return { status: 'action_required', detail: detail === 'pending_challenge' ? 'pending_challenge' : 'waiting_payment' };
    case 'rejected': return { status: 'failed', detail: FAILURES[detail] ?? 'rejected_other_reason' };
    case 'cancelled': return detail === 'expired' ? { status: 'expired', detail: 'expired' } : { status: cancelWord, detail: 'canceled_by_api' };
    case 'refunded': return { status: 'refunded', detail: 'refunded' };
    case 'charged_back': return { status: 'charged_back', detail };
  }
}

/** The order as the API shows it. The place of a challenge's address is the SDK's (`transaction_security.url`): the documents are silent. */
export function orderView(payment: BookedPayment, cancelWord: MercadopagoSettings['cancelWord']): Record<string, unknown> {
  const { status, detail } = orderStatus(payment, cancelWord);
  const { site, method } = payment;
  const amount = decimalText(payment.amount, site);
  const isPaid = ['processed', 'refunded', 'charged_back'].includes(status);
  const at = new Date(payment.created_at).toISOString();
  const challenge = detail === 'pending_challenge' ? { transaction_security: { url: payment.challenge_url, type: 'challenge', status: 'pending' } } : {};
  return {
    id: orderIdOf(payment), type: 'online', processing_mode: 'automatic', capture_mode: payment.captures ? 'automatic' : 'manual', external_reference: payment.external_reference, total_amount: amount,
    total_paid_amount: isPaid ? amount : '0', country_code: COUNTRIES[site], user_id: '998877', status, status_detail: status === 'failed' ? 'failed' : detail, created_date: at, last_updated_date: new Date(payment.updated_at).toISOString(), integration_data: { application_id: '123' },
    transactions: {
      payments: [{
        id: transactionIdOf(payment), amount, paid_amount: isPaid ? amount : '0', reference_id: '00abc', status: status === 'failed' ? 'failed' : status, status_detail: detail,
        payment_method: { id: method.id, type: method.type, installments: payment.installments, ...challenge },
      }],
      ...(payment.refunds.length === 0 ? {} : { refunds: payment.refunds.map((refund) => refundOf(payment, refund)) }),
    },
    currency: SITES[site],
  };
}

function refundOf(payment: BookedPayment, { id, amount, status }: BookedRefund): Record<string, unknown> {
  return { id: named('REF', id), transaction_id: transactionIdOf(payment), reference_id: '00ref', amount: decimalText(amount, payment.site), status: { approved: 'processed', in_process: 'processing', rejected: 'failed' }[status] };
}
