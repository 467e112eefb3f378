import { isCurrency } from '../../shared/currency.js';
import type { Money } from '../../shared/money.js';
import type { CardFacts, Decline, DeclineCode, FeeBreakdown, RefundReason } from '../contract/payment-gateway.js';
import type { CulqiCharge } from './culqi.types.js';

/** Pure tables between Culqi's words and ours (psp/culqi.md §§1.6, 1.13, 1.16). */

type Verdict = { code: DeclineCode; retryable: boolean };
const final = (code: DeclineCode): Verdict => ({ code, retryable: false });
const again = (code: DeclineCode): Verdict => ({ code, retryable: true });

/** `decline_code` of a card_error. */
export const DECLINE_CODES: Readonly<Record<string, Verdict>> = {
  expired_card: final('expired_card'),
  stolen_card: final('stolen_or_lost_card'),
  lost_card: final('stolen_or_lost_card'),
  insufficient_funds: final('insufficient_funds'),
  contact_issuer: final('contact_issuer'),
  invalid_cvv: final('incorrect_cvc'),
  incorrect_cvv: final('incorrect_cvc'),
  too_many_attempts_cvv: final('incorrect_cvc'),
  issuer_not_available: again('issuer_unavailable'),
  issuer_decline_operation: final('card_declined'),
  invalid_card: final('invalid_card'),
  processing_error: again('processing_error'),
  fraudulent: final('fraud_suspected'),
  // A test card with live keys.
  culqi_card: final('invalid_card'),
  soft_block: final('card_declined'),
};

/** `outcome.code` of a charge that failed. The full list is a PDF that nobody here has seen; these are the documented ones. */
export const OUTCOME_CODES: Readonly<Record<string, Verdict>> = {
  DNGA0054: final('expired_card'),
  DNGA0019: final('processing_error'),
  DNGA0323: final('card_declined'),
  DNGE0087: final('card_declined'),
  CULQ0001: final('card_declined'),
  CULQ0003: final('card_declined'),
  PREV0001: final('fraud_suspected'),
  PREV0009: final('fraud_suspected'),
  PREV0091: final('fraud_suspected'),
};

/** The only word that means money. */
export const SUCCESS = 'venta_exitosa';

/** Reasons of a refund (psp/culqi.md §1.7). */
export const REFUND_REASONS: Readonly<Record<RefundReason, string>> = { duplicate: 'duplicado', fraudulent: 'fraudulento', requested_by_customer: 'solicitud_comprador' };

/** Request fields at Culqi → fields of our API. */
export const FIELDS: Readonly<Record<string, string>> = {
  amount: 'amount', currency_code: 'currency', email: 'customer.email', source_id: 'paymentMethod.tokens.culqi', token_id: 'token', description: 'description',
  installments: 'paymentMethod.installments', metadata: 'metadata', first_name: 'customer.firstName', last_name: 'customer.lastName',
  phone_number: 'customer.phone', address: 'customer.address.line1', address_city: 'customer.address.city', country_code: 'customer.country',
  device_finger_print_id: 'customer.deviceId',
};

/** A refusal of the card. A code that is in no table is a plain decline under its own name: it is sure that the charge failed. */
export function declineOf(declineCode: string | null | undefined, outcomeCode: string | null | undefined, merchantMessage: string | null | undefined): Decline {
  const named = [lookUp(DECLINE_CODES, declineCode), lookUp(OUTCOME_CODES, outcomeCode)].find((found) => found !== undefined);
  const { code, retryable } = named?.verdict ?? final('card_declined');
  const pspCode = named?.word ?? declineCode ?? outcomeCode ?? 'card_declined';
  return { code, retryable, pspCode: pspCode.slice(0, 80), message: (merchantMessage ?? 'The card was declined.').slice(0, 255) };
}

function lookUp(table: Readonly<Record<string, Verdict>>, word: string | null | undefined): { word: string; verdict: Verdict } | undefined {
  const verdict = word != null && Object.hasOwn(table, word) ? table[word] : undefined;
  return verdict === undefined || word == null ? undefined : { word, verdict };
}

/** Whether a stored charge shows by its outcome that it failed (psp/culqi.md §1.6: failed charges are stored and listed). */
export function hasFailed({ outcome, capture }: CulqiCharge): boolean {
  if (outcome == null) return capture == null;
  return outcome.decline_code != null || outcome.code === 'card_declined' || (outcome.code != null && Object.hasOwn(OUTCOME_CODES, outcome.code));
}

/** An amount of Culqi's in our terms; null in a currency that we do not know. */
export function moneyOf(centimos: number, currencyCode: string): Money | null {
  return isCurrency(currencyCode) ? { amountMinor: BigInt(centimos), currency: currencyCode } : null;
}

/** Culqi's `total_fee` contains its tax; the parts add up to it or are not given. */
export function feesOf(charge: CulqiCharge): { fee?: Money; feeBreakdown?: FeeBreakdown; net?: Money } {
  const fee = charge.total_fee == null ? null : moneyOf(charge.total_fee, charge.currency_code);
  const net = charge.transfer_amount == null ? null : moneyOf(charge.transfer_amount, charge.currency_code);
  if (fee === null) return {};
  const percentMinor = BigInt(charge.fee_details?.variable_fee?.total ?? 0);
  const fixedMinor = BigInt(charge.fee_details?.fixed_fee?.total ?? 0);
  const taxMinor = BigInt(charge.total_fee_taxes ?? 0);
  const addsUp = percentMinor + fixedMinor + taxMinor === fee.amountMinor;
  return { fee, ...(addsUp ? { feeBreakdown: { percentMinor, fixedMinor, taxMinor } } : {}), ...(net === null ? {} : { net }) };
}

const FUNDING: Readonly<Record<string, NonNullable<CardFacts['funding']>>> = {
  credito: 'credit', crédito: 'credit', debito: 'debit', débito: 'debit', prepago: 'prepaid', prepagada: 'prepaid',
};

export function cardOf({ source }: Pick<CulqiCharge, 'source'>): CardFacts {
  const iin = source?.iin;
  const funding = FUNDING[(iin?.card_type ?? '').toLowerCase()];
  return {
    ...(iin?.card_brand == null ? {} : { brand: iin.card_brand.toLowerCase() }),
    ...(source?.last_four == null ? {} : { last4: source.last_four.slice(-4) }),
    ...(iin?.bin == null ? {} : { bin: iin.bin.slice(0, 8) }),
    ...(funding === undefined ? {} : { funding }),
    ...(iin?.issuer?.country_code == null ? {} : { issuerCountry: iin.issuer.country_code }),
  };
}
