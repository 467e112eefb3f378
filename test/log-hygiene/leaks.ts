/** What must not stand in any log line, by the name under which it is reported. */
const PATTERNS: Readonly<Record<string, RegExp>> = {
  'a secret key of a PSP': /sk_(?:test|live)_\w{6,}/g,
  'a public key of a live account': /pk_live_\w+/g,
  'a card token': /tkn_(?:test|live)_\w{6,}/g,
  'an API key of ours': /sk_[0-9A-Za-z]{20,}/g,
};

/** A run of 13 to 19 digits, blanks or hyphens between them allowed, that belongs to no longer word (an id, a fraction, a hash). */
const DIGIT_RUN = /(?<![0-9A-Za-z_.-])\d(?:[ -]?\d){12,18}(?![0-9A-Za-z_-]|\.\d)/g;
const CARD_PREFIX = /^(?:4|5[1-5]|2[2-7]|3[47]|3[0689]|6)/;

/** Names each leak in the line, without repeating its value. */
export function leaksIn(line: string, canaries: readonly string[]): string[] {
  const patterns = Object.entries(PATTERNS).filter(([, pattern]) => line.match(pattern) !== null).map(([name]) => name);
  const cards = (line.match(DIGIT_RUN) ?? []).map((run) => run.replaceAll(/\D/g, '')).filter(isCardNumber).map(() => 'a card number');
  const secrets = canaries.filter((canary) => line.includes(canary)).map(() => 'a secret of the environment or a test');
  return [...new Set([...patterns, ...cards, ...secrets])];
}

function isCardNumber(digits: string): boolean {
  return CARD_PREFIX.test(digits) && passesLuhn(digits);
}

function passesLuhn(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 1 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}
