import { randomBytes } from 'node:crypto';

/** Crockford's base 32 in lower case: no i, l, o, u, and sorted as bytes. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** What an id names, by its prefix (the HTTP contract). */
export type IdPrefix = 'ten' | 'key' | 'gwa' | 'pay' | 'att' | 'tra' | 'tic' | 'job' | 'idk' | 'aud' | 'rfd' | 'whe' | 'cus' | 'pm' | 'res';

/**
 * Makes an opaque, time-ordered id such as `pay_01jc…`: 48 bits of milliseconds, then 80 random bits, as in ULID (github.com/ulid/spec).
 * Thirty characters, all ASCII.
 */
export function newId(prefix: IdPrefix, nowMs: number = Date.now()): string {
  let tail = '';
  for (const byte of randomBytes(16)) tail += ALPHABET.charAt(byte & 31);
  return firstIdAt(prefix, nowMs) + tail;
}

/** What comes before every id made at `nowMs` (milliseconds since 1970) or later, and after all earlier ones. */
export function firstIdAt(prefix: IdPrefix, nowMs: number): string {
  let time = '';
  let rest = nowMs;
  for (let i = 0; i < 10; i++) {
    time = ALPHABET.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  return `${prefix}_${time}`;
}

/** Tells whether `text` has the form of an id with this prefix. An id of another form names nothing. */
export function isId(prefix: IdPrefix, text: string): boolean {
  return text.length === prefix.length + 27 && text.startsWith(`${prefix}_`) && /^[0-9a-hjkmnp-tv-z]{26}$/.test(text.slice(prefix.length + 1));
}
