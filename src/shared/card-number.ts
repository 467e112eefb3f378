/** Leading digits of card numbers, from first to last, and how many digits such a number has. Wide enough for what Latin America uses. */
const ISSUER_RANGES: readonly (readonly [first: string, last: string, lengths: readonly number[]])[] = [
  ['4', '4', [13, 16, 18, 19]], // Visa
  ['51', '55', [16]], ['2221', '2720', [16]], // Mastercard
  ['34', '34', [15]], ['37', '37', [15]], // American Express
  ['300', '305', [14, 16, 19]], ['3095', '3095', [14, 16, 19]], ['36', '36', [14, 16, 19]], ['38', '39', [14, 16, 19]], // Diners Club
  ['6011', '6011', [16, 19]], ['644', '649', [16, 19]], ['65', '65', [16, 19]], // Discover, and Elo
  ['2131', '2131', [15]], ['1800', '1800', [15]], ['3528', '3589', [16, 17, 18, 19]], // JCB
  ['62', '62', [16, 17, 18, 19]], ['81', '81', [16, 17, 18, 19]], // UnionPay
  ['2200', '2204', [16, 17, 18, 19]], // Mir
  ...['5018', '5020', '5038', '5612', '5893', '6304', '6759', '6761', '6762', '6763'].map((prefix) => [prefix, prefix, [13, 14, 15, 16, 17, 18, 19]] as const), // Maestro
  ['504175', '504175', [16]], ['506699', '506778', [16]], ['509000', '509999', [16]], ['627780', '627780', [16]], ['636297', '636297', [16]], ['636368', '636368', [16]], // Elo
  ['606282', '606282', [16]], ['637095', '637095', [16]], ['637568', '637612', [16]], // Hipercard
  ['589562', '589562', [16]], ['589657', '589657', [16]], ['604201', '604219', [16]], // Naranja, Cabal
  ['502275', '502275', [16]], ['506199', '506499', [16]], ['286900', '286999', [16]], // Carnet
];

/** The ranges by their first digit: most places where a number may start are ruled out at once. */
const RANGES_BY_DIGIT = new Map([...'123456789'].map((digit) => [digit, ISSUER_RANGES.filter(([first]) => first.startsWith(digit))] as const));

const DIGITS_MIN = 13;
const DIGITS_MAX = 19;

/** Digits with blanks and hyphens between; the two classes share no character, so this is linear. */
const STRETCH = /[0-9](?:[\p{Zs}\t-]*[0-9])*/gu;
const ENDS_TOUCHING = /[\p{L}\p{Nd}_.-]$/u;
const STARTS_TOUCHING = /^[\p{L}\p{Nd}_.-]/u;

/** Where something stands in a text: `end` is the place after it. */
export type Span = { start: number; end: number };

/**
 * Finds card numbers by the rule of design/api.md: 13 to 19 digits, blanks and hyphens inside allowed, of a known issuer's range and length, with a right
 * check digit (Luhn), not touching a letter, digit, `_`, `.` or `-`. Ids in hexadecimal, UUIDs and PSP tokens touch letters and pass. Linear in the text's length.
 */
export function findCardNumbers(text: string): Span[] {
  return text.length < DIGITS_MIN ? [] : [...text.matchAll(STRETCH)].filter(([stretch]) => stretch.length >= DIGITS_MIN).flatMap(({ 0: stretch, index }) => inStretch(text, stretch, index));
}

export function containsCardNumber(text: string): boolean {
  return findCardNumbers(text).length > 0;
}

/** The text with every card number in it replaced by what `mask` makes of its place. */
export function maskCardNumbers(text: string, mask: (span: Span) => string = () => '[card number]'): string {
  return replaceSpans(text, findCardNumbers(text), mask);
}

/** The text with each of `spans`, which are in order and apart, replaced by what `replacement` makes of it. */
export function replaceSpans(text: string, spans: readonly Span[], replacement: (span: Span) => string): string {
  let result = '';
  let done = 0;
  for (const span of spans) {
    result += text.slice(done, span.start) + replacement(span);
    done = span.end;
  }
  return result + text.slice(done);
}

/** A number may start and end at any group of digits: `order 12 4111 1111 1111 1111` holds one. At most 19 groups are tried from each. */
function inStretch(text: string, stretch: string, offset: number): Span[] {
  const groups = [...stretch.matchAll(/[0-9]+/g)].map(({ 0: digits, index }) => ({ digits, start: offset + index, end: offset + index + digits.length }));
  const found: Span[] = [];
  for (let first = 0; first < groups.length; first++) {
    const start = groups[first]?.start ?? 0;
    if (ENDS_TOUCHING.test(text.slice(Math.max(0, start - 2), start))) continue;
    const last = lastGroup(text, groups, first);
    if (last === null) continue;
    found.push({ start, end: groups[last]?.end ?? start });
    first = last;
  }
  return found;
}

function lastGroup(text: string, groups: readonly { digits: string; end: number }[], first: number): number | null {
  let digits = '';
  for (let last = first; last < groups.length; last++) {
    const group = groups[last];
    if (group === undefined || digits.length + group.digits.length > DIGITS_MAX) return null;
    digits += group.digits;
    if (digits.length >= DIGITS_MIN && isCardNumber(digits) && !STARTS_TOUCHING.test(text.slice(group.end, group.end + 2))) return last;
  }
  return null;
}

function isCardNumber(digits: string): boolean {
  const ofAnIssuer = (RANGES_BY_DIGIT.get(digits.charAt(0)) ?? []).some(([first, last, lengths]) => {
    const prefix = digits.slice(0, first.length);
    return lengths.includes(digits.length) && prefix >= first && prefix <= last;
  });
  return ofAnIssuer && hasCheckDigit(digits);
}

/** Luhn's check (ISO/IEC 7812-1, annex B). */
function hasCheckDigit(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits.charAt(digits.length - 1 - i));
    const doubled = digit * 2;
    sum += i % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
