import { createHash } from 'node:crypto';

/**
 * A JSON value written in one way: object members sorted by name, no blanks. Members that are undefined are absent; null is a value.
 * Two bodies with the same value have the same text (like RFC 8785, but for values that came through our own body reader).
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}

/** What makes two requests the same: the route with its parameters, and the body's value. SHA-256. */
export function requestFingerprint(route: string, body: unknown): Buffer {
  return createHash('sha256').update(`${route}\n${canonicalJson(body)}`).digest();
}
