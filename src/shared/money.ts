import { isCurrency, type Currency } from './currency.js';

/** Largest amount the API accepts, in minor units: the largest integer that JSON numbers carry exactly (RFC 8259 §6). */
export const AMOUNT_MINOR_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** An exact amount of one currency, in its minor unit (céntimos for PEN). Never a float. */
export type Money = { readonly amountMinor: bigint; readonly currency: Currency };

/**
 * Makes Money from an integer number of minor units.
 * @throws RangeError when the amount is not an integer in 0 … 2⁵³−1, or the currency is not known.
 */
export function money(amountMinor: bigint | number, currency: string): Money {
  if (!isCurrency(currency)) throw new RangeError(`unknown currency ${currency.slice(0, 8)}`);
  if (typeof amountMinor === 'number' && !Number.isSafeInteger(amountMinor)) throw new RangeError('an amount is a safe integer of minor units');
  const exact = BigInt(amountMinor);
  if (exact < 0n || exact > AMOUNT_MINOR_MAX) throw new RangeError('an amount lies between 0 and 2^53-1 minor units');
  return { amountMinor: exact, currency };
}

/** The same amount of the same currency. */
export function sameMoney(a: Money, b: Money): boolean {
  return a.amountMinor === b.amountMinor && a.currency === b.currency;
}

/**
 * The amount as a JSON number of minor units.
 * @throws RangeError above 2⁵³−1, rather than lose a unit.
 */
export function toJsonAmount(amountMinor: bigint): number {
  if (amountMinor > AMOUNT_MINOR_MAX || amountMinor < -AMOUNT_MINOR_MAX) throw new RangeError('amount does not fit a JSON number');
  return Number(amountMinor);
}
