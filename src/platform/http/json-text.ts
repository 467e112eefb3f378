import { Problem } from '../../shared/problem.js';
import { maskCardNumbers } from '../../shared/card-number.js';

/** Objects and arrays within each other, the outermost counting as one (design/api.md). */
export const DEPTH_MAX = 20;

const FIELD_LENGTH_MAX = 200;
const NUMBER_LENGTH_MAX = 40;
/** Names that mean something on every JavaScript object: they pollute prototypes (faults T10), or class-transformer drops them without a word (`toString`). */
const FORBIDDEN_NAMES = new Set([...Object.getOwnPropertyNames(Object.prototype), 'prototype']);

/** Half a surrogate pair: with the `u` flag, whole pairs are one character of another class. */
const LONE_SURROGATE = /\p{Cs}/u;

/** The tokens of a JSON text that is known to be well formed. No two alternatives begin alike, so this is linear. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]|-?[0-9][0-9.eE+-]*/g;

/** An object or array that is open: the names seen in it, if an object, and the member that is being read. */
type Frame = { names: Set<string> | null; member: string | number; awaitsName: boolean };

/**
 * Reads JSON from UTF-8 bytes so that nothing of it changes unseen: what JSON.parse would guess about is refused.
 * @throws Problem `malformed_json`; `json_too_deep`; `duplicate_property`; `validation_failed` for a number that JavaScript cannot hold exactly or above
 * 2⁵³−1, text with half a surrogate pair, and names such as `__proto__` and `constructor` that every JavaScript object has.
 */
export function readJson(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  const value = parse(text);
  inspect(text);
  return value;
}

/** A byte order mark stays and is then no JSON (RFC 8259 §8.1). */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Problem('malformed_json', 'The body is not UTF-8.');
  }
}

/** JSON.parse reads any depth without the stack; what must not be deep is what walks its value afterwards (faults T8). */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the body.
    throw new Problem('malformed_json', text === '' ? 'The body is empty.' : 'The body is not well-formed JSON.');
  }
}

function inspect(text: string): void {
  const frames: Frame[] = [];
  for (const [token] of text.matchAll(TOKEN)) {
    const frame = frames.at(-1);
    if (token === '{' || token === '[') open(frames, token === '{');
    else if (token === '}' || token === ']') frames.pop();
    else if (token === ',') advance(frame);
    else if (token.startsWith('"')) readText(token, frames);
    else if (!isExact(token)) throw invalid(frames, 'must be a number of at most 2^53-1 that is held exactly');
  }
}

function open(frames: Frame[], isObject: boolean): void {
  if (frames.length === DEPTH_MAX) throw new Problem('json_too_deep', `The body is nested more than ${DEPTH_MAX} deep.`);
  frames.push(isObject ? { names: new Set(), member: '', awaitsName: true } : { names: null, member: 0, awaitsName: false });
}

function advance(frame: Frame | undefined): void {
  if (frame === undefined) return;
  if (typeof frame.member === 'number') frame.member += 1;
  else frame.awaitsName = true;
}

function readText(token: string, frames: Frame[]): void {
  const text = token.includes('\\') ? JSON.parse(token) as string : token.slice(1, -1);
  const frame = frames.at(-1);
  const isName = frame?.awaitsName === true;
  if (frame !== undefined && isName) {
    frame.member = text;
    frame.awaitsName = false;
  }
  if (LONE_SURROGATE.test(text)) throw invalid(frames, 'must be well-formed Unicode');
  if (frame === undefined || !isName) return;
  if (FORBIDDEN_NAMES.has(text)) throw invalid(frames, 'is a name that is not accepted');
  if (frame.names?.has(text) === true) {
    throw new Problem('duplicate_property', 'A property stands twice in one object.', { errors: [{ field: pathOf(frames), message: 'stands twice' }] });
  }
  frame.names?.add(text);
}

function invalid(frames: readonly Frame[], message: string): Problem {
  return new Problem('validation_failed', 'The request is not valid.', { errors: [{ field: pathOf(frames), message }] });
}

/** Names come from the client: they are cut, and may themselves hold what must not be repeated. */
function pathOf(frames: readonly Frame[]): string {
  return fieldPath(frames.map(({ member }) => String(member)));
}

/** A field's path as it is told to the client: `customer.address.0`. */
export function fieldPath(members: readonly string[]): string {
  return members.map((member) => maskCardNumbers(member.slice(0, FIELD_LENGTH_MAX))).join('.').slice(0, FIELD_LENGTH_MAX).replace(/\p{Cs}/gu, '\ufffd');
}

/** Whether the number means in JavaScript what it means in the text (faults T7). */
function isExact(token: string): boolean {
  if (token.length > NUMBER_LENGTH_MAX) return false;
  const value = Number(token);
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER && canonical(token) === canonical(String(value));
}

/** One way of writing each number: significant digits and the power of ten of the last. */
function canonical(number: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(number) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length)}`;
}
