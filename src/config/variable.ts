import { isIP } from 'node:net';
import { z } from 'zod';

/**
 * One environment variable: text that `parse` understands. Whatever is wrong with it, the issue says `expected` and nothing else,
 * so that no value can reach a log.
 */
export function variable<Value>(expected: string, parse: (text: string) => Value | null) {
  return z.string({ error: expected }).transform((text, context) => {
    const value = parse(text);
    if (value !== null) return value;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
}

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number) {
  return variable(`a whole number from ${min} to ${max}`, (text) => {
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : -1;
    return value >= min && value <= max ? value : null;
  });
}

/** A part of all, as OpenTelemetry writes it: `0.05`. */
export function share() {
  return variable('a number from 0 to 1, such as 0.05', (text) => (/^(?:0(?:\.[0-9]{1,6})?|1(?:\.0{1,6})?)$/.test(text) ? Number(text) : null));
}

/** One of `words`, written so. */
export function oneOf<Word extends string>(...words: Word[]) {
  return variable(`one of ${words.join(', ')}`, (text) => words.find((word) => word === text) ?? null);
}

/** Scheme and host of an external service; https when `httpsOnly`. */
export function host(httpsOnly: boolean) {
  const expected = `an ${httpsOnly ? 'https' : 'http or https'} URL of scheme and host only${httpsOnly ? ' when NODE_ENV=production' : ''}`;
  return variable(expected, (text) => {
    const url = parseUrl(text, httpsOnly ? ['https:'] : ['https:', 'http:']);
    return url !== null && url.pathname === '/' && !/[?#]/.test(text) && url.username === '' && url.password === '' ? url : null;
  });
}

/** Where clients and PSPs reach this service; a path is allowed, for a proxy that adds one. */
export function publicUrl() {
  return variable('an http or https URL without credentials or query', (text) => {
    const url = parseUrl(text, ['https:', 'http:']);
    return url !== null && !/[?#]/.test(text) && url.username === '' && url.password === '' ? url : null;
  });
}

/** A URL as it is written, with one of these schemes (`mysql:`), a host, and, if wanted, one path segment. */
export function serverUrl(expected: string, schemes: readonly string[], namesDatabase: boolean) {
  return variable(expected, (text) => {
    const url = parseUrl(text, schemes);
    return url !== null && url.hostname !== '' && (!namesDatabase || /^\/[^/]+$/.test(url.pathname)) ? text : null;
  });
}

/** Text of visible ASCII characters, from `min` to 255 of them. */
export function visibleAscii(min: number) {
  return variable(`${min} to 255 visible ASCII characters`, (text) => (text.length >= min && /^[\x21-\x7e]{1,255}$/.test(text) ? text : null));
}

const PROXY_NAMES = new Set(['loopback', 'linklocal', 'uniquelocal']);

/** Whose X-Forwarded-For is believed. */
export function trustedProxies() {
  return variable('off, on, a number of hops from 1 to 20, or addresses with commas between', (text): boolean | number | string[] | null => {
    if (text === 'off' || text === 'false' || text === '0') return false;
    if (text === 'on' || text === 'true') return true;
    if (/^[0-9]+$/.test(text)) return Number(text) <= 20 ? Number(text) : null;
    const addresses = text.split(',').map((address) => address.trim());
    return addresses.every((address) => PROXY_NAMES.has(address) || isNetwork(address)) ? addresses : null;
  });
}

function isNetwork(text: string): boolean {
  const [, address, bits] = /^([^/]+)(?:\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address ?? '');
  return version !== 0 && (bits === undefined || Number(bits) <= (version === 4 ? 32 : 128));
}

function parseUrl(text: string, schemes: readonly string[]): URL | null {
  const url = URL.parse(text);
  return url !== null && schemes.includes(url.protocol) && /^[a-z]+:\/\/[^/\s]/i.test(text) ? url : null;
}
