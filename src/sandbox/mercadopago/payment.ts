import { type Site, SITES } from './settings.js';

export type Status = 'approved' | 'authorized' | 'in_process' | 'pending' | 'rejected' | 'cancelled' | 'refunded' | 'charged_back';

/** A refund as it truly is. Amounts in minor units. */
export interface BookedRefund {
  id: number;
  amount: number;
  status: 'approved' | 'in_process' | 'rejected';
  created_at: number;
}

/** A payment as it truly is. Amounts in minor units. */
export interface BookedPayment {
  merchant: string;
  site: Site;
  id: number;
  external_reference: string | null;
  amount: number;
  status: Status;
  status_detail: string;
  method: { id: string; type: string };
  installments: number;
  card: { bin: string; last4: string } | null;
  refunds: BookedRefund[];
  created_at: number;
  /** When anything of it last changed: a refund and a dispute count. */
  updated_at: number;
  metadata: unknown;
  /** Whether the challenge, if there is one, is passed. */
  passes: boolean | null;
  challenge_url: string;
  /** Made by the Orders API; it shows among the payments all the same, under its number (not documented: the worst case). */
  isOrder: boolean;
  /** Whether it was to be captured at once. */
  captures: boolean;
  /** What a marketplace keeps. */
  application_fee: number;
  /** False of a payment that was made with test credentials; one of older books has none, and is live. */
  live_mode?: boolean;
}

/** CLP has no minor unit. */
export function placesOf(site: Site): number {
  return site === 'MLC' ? 0 : 2;
}

/** Minor units as a JSON number of major ones. */
export function major(minor: number, site: Site): number {
  const places = placesOf(site);
  const digits = String(minor).padStart(places + 1, '0');
  return Number(places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`);
}

/** Minor units that a JSON number of major ones means; null when it has too many decimals, or is none. */
export function minorOf(value: unknown, site: Site): number | null {
  const match = typeof value === 'number' ? /^([0-9]+)(?:\.([0-9]+))?$/.exec(String(value)) : null;
  const [whole, fraction = ''] = match?.slice(1) ?? [];
  if (whole === undefined || fraction.length > placesOf(site)) return null;
  return Number(whole + fraction.padEnd(placesOf(site), '0'));
}

/** Times carry the account's offset, not UTC (mercadopago.md §2.3). */
export function stamp(ms: number): string {
  return `${new Date(ms - 4 * 3_600_000).toISOString().slice(0, -1)}-04:00`;
}

/** What is given back, or about to be. */
export function refundedOf({ refunds }: BookedPayment, statuses: readonly BookedRefund['status'][] = ['approved']): number {
  return refunds.filter(({ status }) => statuses.includes(status)).reduce((sum, { amount }) => sum + amount, 0);
}

/** How long after a payment money can be given back (mercadopago.md §3), in milliseconds. */
export function refundWindowMs({ site, isOrder }: Pick<BookedPayment, 'site' | 'isOrder'>): number {
  return (isOrder || site === 'MPE' ? 90 : 180) * 24 * 3_600_000;
}

const DAY_MS = 24 * 3_600_000;
/** PagoEfectivo's accreditation time (§2.9). */
export const VOUCHER_MS = 2 * DAY_MS;

/** When what waits for somebody is over by itself; null for what does not: reserved money (§2.6), a voucher (§2.9), a challenge (§2.5). */
export function endsAt({ status, status_detail: detail, site, created_at: created }: BookedPayment): number | null {
  if (status === 'authorized') return created + (site === 'MLM' ? 7 : 5) * DAY_MS;
  if (status !== 'pending') return null;
  return created + (detail === 'pending_challenge' ? DAY_MS : VOUCHER_MS);
}

/** The fee is an invention: 3.99 % and IGV, rounded half up. */
export function feeOf(amount: number): number {
  return Math.floor((amount * 471 + 5_000) / 10_000);
}

/** The payment as the API shows it (mercadopago.md §2.3). */
export function paymentView(payment: BookedPayment): Record<string, unknown> {
  const { site, amount, status, method, card } = payment;
  const isTaken = ['approved', 'refunded', 'charged_back'].includes(status);
  const fee = feeOf(amount);
  const approved = isTaken ? stamp(payment.created_at + 2_000) : null;
  const isVoucher = method.id === 'pagoefectivo_atm';
  return {
    id: payment.id, date_created: stamp(payment.created_at), date_approved: approved, date_last_updated: stamp(payment.updated_at), date_of_expiration: isVoucher ? stamp(payment.created_at + VOUCHER_MS) : null,
    money_release_date: null, operation_type: 'regular_payment', issuer_id: '12345', payment_method_id: method.id, payment_type_id: method.type, payment_method: { id: method.id, type: method.type, issuer_id: '12345' },
    status, status_detail: payment.status_detail, currency_id: SITES[site], live_mode: payment.live_mode ?? true, authorization_code: isTaken || status === 'authorized' ? '301299' : null, collector_id: 998_877,
    payer: { id: '555', type: 'guest', email: null }, metadata: payment.metadata, additional_info: {}, order: {}, external_reference: payment.external_reference,
    transaction_amount: major(amount, site), transaction_amount_refunded: major(refundedOf(payment), site), coupon_amount: 0, taxes_amount: 0, shipping_amount: 0,
    transaction_details: {
      net_received_amount: isTaken ? major(amount - fee - payment.application_fee, site) : 0, total_paid_amount: major(amount, site), overpaid_amount: 0, installment_amount: major(amount, site),
      external_resource_url: isVoucher ? `https://www.mercadopago.com.pe/payments/${payment.id}/ticket` : null, financial_institution: null, payment_method_reference_id: isVoucher ? String(payment.id).slice(-9) : null,
    },
    fee_details: isTaken ? [{ type: 'mercadopago_fee', amount: major(fee, site), fee_payer: 'collector' }, ...(payment.application_fee === 0 ? [] : [{ type: 'application_fee', amount: major(payment.application_fee, site), fee_payer: 'collector' }])] : [],
    captured: status !== 'authorized', binary_mode: false, statement_descriptor: 'SHOP', installments: payment.installments,
    card: card === null ? {} : { id: null, first_six_digits: card.bin, last_four_digits: card.last4, expiration_month: 11, expiration_year: 2030, cardholder: { name: 'APRO', identification: {} } },
    refunds: payment.refunds.map((refund) => refundView(payment, refund)), processing_mode: 'aggregator', point_of_interaction: { type: 'UNSPECIFIED', transaction_data: {} },
    three_ds_info: payment.status_detail === 'pending_challenge' ? { external_resource_url: payment.challenge_url, creq: 'eyJ0aHJlZURTU2VydmVyVHJhbnNJRCI6IngifQ' } : null,
  };
}

/** A refund as the API shows it (§3). */
export function refundView({ id, site }: BookedPayment, refund: BookedRefund): Record<string, unknown> {
  return {
    id: refund.id, payment_id: id, amount: major(refund.amount, site), metadata: {}, source: { id: '998877', name: 'Shop', type: 'collector' }, date_created: stamp(refund.created_at), unique_sequence_number: null,
    refund_mode: 'standard', adjustment_amount: 0, status: refund.status, reason: null, amount_refunded_to_payer: major(refund.amount, site),
  };
}
