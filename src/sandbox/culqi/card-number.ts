export type CardBrand = 'Visa' | 'MasterCard' | 'Amex' | 'Diners';

const PREFIXES: readonly [RegExp, CardBrand][] = [
  [/^4/, 'Visa'],
  [/^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, 'MasterCard'],
  [/^3[47]/, 'Amex'],
  [/^(30[0-5]|36|38|39)/, 'Diners'],
];

/** The brand of a card number, or null when the prefix, the length (13–19) or the check digit (Luhn) is wrong. */
export function brandOf(number: string): CardBrand | null {
  if (!/^\d{13,19}$/.test(number) || !passesLuhn(number)) return null;
  return PREFIXES.find(([prefix]) => prefix.test(number))?.[1] ?? null;
}

/** First six and last four digits, stars between. */
export function maskOf(number: string): string {
  return number.slice(0, 6) + '*'.repeat(number.length - 10) + number.slice(-4);
}

function passesLuhn(number: string): boolean {
  let sum = 0;
  for (let i = 0; i < number.length; i++) {
    const digit = Number(number.charAt(number.length - 1 - i));
    sum += i % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}
