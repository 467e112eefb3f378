import { isCurrency } from '../../shared/currency.js';
import type { Money } from '../../shared/money.js';
import { minorUnitsOf } from '../contract/decimal.js';
import type { Decline, DeclineCode } from '../contract/payment-gateway.js';
import type { JsonNumber } from '../contract/exact-json.js';

/** Pure tables between PixelPay's words and ours (psp/pixelpay.md §§2.1, 2.4). */

/** What a response code means. `charge_unknown` is PixelPay's network_error: it does not know either. */
type Meaning =
  | { kind: 'accepted' | 'charge_unknown' | 'rate_limited' | 'credentials_rejected' }
  | { kind: 'declined'; code: DeclineCode }
  | { kind: 'request_rejected'; field: string };

/** The twelve response codes (`status`), each with the HTTP status it comes with. One that comes with another status contradicts itself. */
export const RESPONSE_CODES: Readonly<Record<string, Meaning & { httpStatus: number }>> = {
  success: { httpStatus: 200, kind: 'accepted' },
  pending: { httpStatus: 200, kind: 'accepted' },
  declined: { httpStatus: 402, kind: 'declined', code: 'card_declined' },
  insufficient: { httpStatus: 402, kind: 'declined', code: 'insufficient_funds' },
  invalid_card: { httpStatus: 402, kind: 'declined', code: 'invalid_card' },
  expired_card: { httpStatus: 402, kind: 'declined', code: 'expired_card' },
  fraud_detected: { httpStatus: 402, kind: 'declined', code: 'fraud_suspected' },
  network_error: { httpStatus: 502, kind: 'charge_unknown' },
  invalid_amount: { httpStatus: 422, kind: 'request_rejected', field: 'amount' },
  currency_error: { httpStatus: 422, kind: 'request_rejected', field: 'currency' },
  rate_limit: { httpStatus: 429, kind: 'rate_limited' },
  api_key_invalid: { httpStatus: 401, kind: 'credentials_rejected' },
};

/** States of a payment in a look-up. */
export const PAYMENT_STATES: Readonly<Record<string, 'captured' | 'declined' | 'pending'>> = { completed: 'captured', failed: 'declined', pending: 'pending' };

/** States of a refund in a look-up. */
export const REFUND_STATES: Readonly<Record<string, 'succeeded' | 'failed' | 'pending'>> = { completed: 'succeeded', failed: 'failed', pending: 'pending' };

/** The entry under a PSP's word; undefined for every other word, `constructor` and its like included. */
export function lookUp<Entry>(table: Readonly<Record<string, Entry>>, word: string | null | undefined): Entry | undefined {
  return word != null && Object.hasOwn(table, word) ? table[word] : undefined;
}

/** A refusal of the card. A word that is in no table is a plain decline under its own name: it is sure that the charge failed. */
export function declineOf(word: string, message: string | null | undefined): Decline {
  const meaning = lookUp(RESPONSE_CODES, word);
  // All final: another try with the same card is the customer's decision (psp/pixelpay.md §2.1, "show error").
  const code = meaning?.kind === 'declined' ? meaning.code : 'card_declined';
  return { code, pspCode: word.slice(0, 80), message: (message ?? 'The card was declined.').slice(0, 255), retryable: false };
}

/** An amount in minor units in our terms; null in a currency that we do not know. */
export function minorMoney(amount: JsonNumber | null | undefined, currency: string): Money | null {
  return amount != null && isCurrency(currency) ? { amountMinor: BigInt(amount.text), currency } : null;
}

/**
 * What the payment costs, as far as it can be known. PixelPay names one figure, so there are no parts. With a known amount, a commission beyond it is no
 * fee, and a net amount that is not the rest is left out.
 */
export function feesOf(answer: { commission?: JsonNumber | null | undefined; net_amount?: JsonNumber | null | undefined }, currency: string | null | undefined, amount: Money | null): { fee?: Money; net?: Money } {
  if (!isCurrency(currency)) return {};
  const fee = answer.commission == null ? null : minorUnitsOf(answer.commission.text, currency);
  const net = answer.net_amount == null ? null : minorUnitsOf(answer.net_amount.text, currency);
  if (fee === null || (amount !== null && fee > amount.amountMinor)) return {};
  const addsUp = net !== null && (amount === null || fee + net === amount.amountMinor);
  return { fee: { amountMinor: fee, currency }, ...(addsUp ? { net: { amountMinor: net, currency } } : {}) };
}

/** The risk from 0 to 100; undefined when it is anything else. */
export function fraudScoreOf(score: JsonNumber | null | undefined): number | undefined {
  const value = Number(score?.text ?? Number.NaN);
  return value >= 0 && value <= 100 ? value : undefined;
}
