import { minorUnitDigits, type Currency } from '../../shared/currency.js';
import { AMOUNT_MINOR_MAX, type Money } from '../../shared/money.js';

/** Longest decimal that is read, in characters, and its largest exponent: a PSP does not make us compute 1e999999999. */
const DECIMAL = { lengthMax: 40, exponentMax: 40 };

/**
 * The minor units that the text of a JSON number means in a currency, without a float: "127.06" → 12706n in DOP. Null when it is negative, larger than
 * an amount can be, or no whole number of minor units: what cannot be said exactly is not said.
 */
export function minorUnitsOf(decimal: string, currency: Currency): bigint | null {
  const parts = decimal.length <= DECIMAL.lengthMax ? /^([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(decimal) : null;
  if (parts === null) return null;
  const [, whole = '', fraction = '', exponent = '0'] = parts;
  const digits = BigInt(whole + fraction);
  if (digits === 0n) return 0n;
  const tens = Number(exponent) - fraction.length + minorUnitDigits(currency);
  if (Math.abs(tens) > DECIMAL.exponentMax) return null;
  const power = 10n ** BigInt(Math.abs(tens));
  if (tens < 0 && digits % power !== 0n) return null;
  const minor = tens < 0 ? digits / power : digits * power;
  return minor <= AMOUNT_MINOR_MAX ? minor : null;
}

/** An amount in major units as decimal text, for PSPs that take it so: 12706n of DOP → "127.06", of CLP → "12706". */
export function decimalOf({ amountMinor, currency }: Money): string {
  const places = minorUnitDigits(currency);
  const digits = String(amountMinor).padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
