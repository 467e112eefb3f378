/**
 * Digits after the decimal point of each currency the service accepts, by ISO 4217 (list of 2026-01-01).
 * A currency that is not here is refused with a clear error rather than guessed to have two digits.
 */
const MINOR_UNIT_DIGITS = {
  ARS: 2, BOB: 2, BRL: 2, CLP: 0, COP: 2, CRC: 2, DOP: 2, EUR: 2, GTQ: 2, HNL: 2,
  MXN: 2, NIO: 2, PAB: 2, PEN: 2, PYG: 0, USD: 2, UYU: 2,
} as const;

export type Currency = keyof typeof MINOR_UNIT_DIGITS;

export const CURRENCIES = Object.keys(MINOR_UNIT_DIGITS) as readonly Currency[];

/** Tells whether `code` is an ISO 4217 code that the service accepts, in upper case. */
export function isCurrency(code: unknown): code is Currency {
  return typeof code === 'string' && Object.hasOwn(MINOR_UNIT_DIGITS, code);
}

/** Digits after the decimal point: 2 for PEN, 0 for CLP. */
export function minorUnitDigits(currency: Currency): number {
  return MINOR_UNIT_DIGITS[currency];
}
