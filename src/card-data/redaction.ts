import { findCardNumbers, maskCardNumbers } from '../shared/card-number.js';
import type { TextForm } from './scanned-tables.js';

export type StoredText = string | Buffer;

/** What a column held without its card numbers, or null when it had none. */
export function redacted(stored: StoredText, form: TextForm): StoredText | null {
  const text = stored.toString();
  if (findCardNumbers(text).length === 0 && !form.startsWith('json')) return null;
  const clean = form.startsWith('json') ? redactedJson(text) : maskCardNumbers(text);
  if (clean === text || clean === null) return null;
  return Buffer.isBuffer(stored) ? Buffer.from(clean) : clean;
}

/** Only strings and names: a number is an amount or an id, and one in fifty of sixteen digits looks like a card's. */
function redactedJson(text: string): string | null {
  if (!/[0-9]{4}/.test(text)) return null;
  try {
    const value: unknown = JSON.parse(text);
    const clean = withoutCardNumbers(value);
    return clean === value ? null : JSON.stringify(clean);
  } catch {
    return maskCardNumbers(text); // text that was cut short
  }
}

/** The same value when it holds none. */
function withoutCardNumbers(value: unknown): unknown {
  if (typeof value === 'string') return maskCardNumbers(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const members = value.map(withoutCardNumbers);
    return members.every((member, index) => member === value[index]) ? value : members;
  }
  const entries = Object.entries(value);
  const clean = entries.map(([name, member]) => [maskCardNumbers(name), withoutCardNumbers(member)] as const);
  return clean.every(([name, member], index) => name === entries[index]?.[0] && member === entries[index]?.[1]) ? value : Object.fromEntries(clean);
}
