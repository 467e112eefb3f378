import { randomInt } from 'node:crypto';
import { type Environment } from './key.js';

const ALPHANUMERIC = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Random letters and digits. */
export function randomText(length: number): string {
  return Array.from({ length }, () => ALPHANUMERIC.charAt(randomInt(ALPHANUMERIC.length))).join('');
}

/** An id as Culqi makes them: 25 characters, `chr_test_` and 16 letters and digits (culqi.md §1.2). */
export function newObjectId(prefix: 'tkn' | 'ype' | 'chr' | 'ref' | 'cus' | 'crd', environment: Environment): string {
  return `${prefix}_${environment}_${randomText(16)}`;
}
