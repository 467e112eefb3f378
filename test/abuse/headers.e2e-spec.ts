import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bodyOf, keyFor, pathOf, startApi, type Api, type Operation } from '../support/api.js';
import { headOf, sendRaw, type RawAnswer } from '../support/raw-http.js';

let api: Api;
beforeAll(async () => { api = await startApi(); }, 60_000);
afterAll(() => api.close());

type Headers = (readonly [string, string])[];

/** An operation that would be right, with one header changed: `undefined` leaves it out, a list sends it several times. */
function ask(operation: Operation, name: string, values: readonly string[]): Promise<RawAnswer> {
  const given = bodyOf(operation);
  const body = given === undefined ? '' : JSON.stringify(given);
  const right: Headers = [
    ['Authorization', `Bearer ${keyFor(operation, api.ana)}`], ['Idempotency-Key', randomUUID()],
    ...(given === undefined ? [] : [['Content-Type', 'application/json'], ['Content-Length', String(Buffer.byteLength(body))]] as Headers),
  ];
  const headers = [...right.filter(([each]) => each.toLowerCase() !== name.toLowerCase()), ...values.map((value) => [name, value] as const)];
  return sendRaw(api.service.url, Buffer.from(headOf(operation.method, pathOf(operation, api.ana), headers) + body, 'latin1'));
}

const named = ({ method, route }: Operation): string => `${method} ${route}`;
/** Runs every case on every operation at once, and tells which of them were answered otherwise; nothing may have been written. */
async function faultsOf(operations: Operation[], name: string, cases: Record<string, readonly string[]>, expected: (answer: RawAnswer) => boolean): Promise<string[]> {
  const before = await api.rows();
  const answers = await Promise.all(operations.flatMap((operation) => Object.entries(cases).map(async ([fault, values]) => ({ operation, fault, answer: await ask(operation, name, values) }))));
  expect(await api.rows()).toBe(before);
  return answers.filter(({ answer }) => !expected(answer)).map(({ operation, fault, answer }) => `${named(operation)}: ${fault}: ${answer.status} ${answer.text.slice(0, 120)}`);
}
const isProblem = (status: number, ...codes: string[]) => (answer: RawAnswer): boolean =>
  answer.status === status && answer.headers['content-type'] === 'application/problem+json' && codes.includes(answer.body.code ?? '') && answer.headers['x-trace-id'] !== undefined;

it('every route that takes a body has a right one here', () => {
  expect(api.operations.filter((operation) => operation.takesBody && bodyOf(operation) === undefined).map(named)).toEqual([]);
});

describe('on every route', () => {
  it('a missing, broken or unknown key is 401', async () => {
    const key = api.ana.client;
    expect(await faultsOf(api.operations.filter(({ needsKey }) => needsKey), 'Authorization', {
      missing: [], empty: [''], 'without a key': ['Bearer'], 'a blank for a key': ['Bearer  '], 'another scheme': [`Basic ${key}`], 'no scheme': [key], 'two keys': [`Bearer ${key} ${key}`],
      'an unknown key': [`Bearer sk_${'0'.repeat(40)}`], 'a key cut short': [`Bearer ${key.slice(0, -1)}`], 'a key with more': [`Bearer ${key}x`], 'another case': [`Bearer ${key.toUpperCase()}`],
      'too long': [`Bearer ${'k'.repeat(300)}`], 'bytes that are no ASCII': ['Bearer sk_\xf1\xff'], 'SQL': ["Bearer 'or'1'='1"], 'a wildcard': ['Bearer %'],
    }, isProblem(401, 'unauthorized'))).toEqual([]);
  });

  it('headers that Node cannot read, or that are too large, are 400 or 431', async () => {
    const operations = api.operations.slice(0, 3);
    expect(await faultsOf(operations, 'X-Other', { 'a NUL': ['a\0b'], 'a bare line feed': ['a\nX-Evil: b\nc'], 'a bare carriage return': ['a\rb'] }, isProblem(400, 'malformed_request'))).toEqual([]);
    expect(await faultsOf(operations, 'X-Other', { '100 KB': ['x'.repeat(100_000)] }, isProblem(431, 'headers_too_large'))).toEqual([]);
    expect(await faultsOf(operations, 'X Other', { 'a blank in the name': ['a'] }, isProblem(400, 'malformed_request'))).toEqual([]);
  });

  it('a trace id that is none is replaced, and no header of the answer is made by it', async () => {
    const cases = ['', 'a b', 'ñandú', 'x'.repeat(65), '4111111111111111', '<script>', "' or 1=1"];
    for (const operation of api.operations.filter(({ method }) => method === 'GET')) {
      for (const value of cases) {
        const { headers, status } = await ask(operation, 'X-Trace-Id', [value]);
        expect(status).toBeLessThan(500);
        expect(headers['x-trace-id']).toMatch(/^[0-9a-f]{32}$/);
      }
      for (const value of ['00-0-0-00', `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`, `00-${'G'.repeat(32)}-${'1'.repeat(16)}-01`]) {
        expect((await ask(operation, 'traceparent', [value])).headers['x-trace-id']).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
      }
    }
  });
});

describe('on every route that takes an idempotency key', () => {
  const keyed = (): Operation[] => api.operations.filter(({ parameters }) => parameters.some(({ name }) => name === 'Idempotency-Key'));

  it('a missing one is 400 idempotency_key_required', async () => {
    expect(keyed().length).toBeGreaterThan(1);
    expect(await faultsOf(keyed(), 'Idempotency-Key', { missing: [] }, isProblem(400, 'idempotency_key_required'))).toEqual([]);
  });

  it('a wrong one is 400 idempotency_key_invalid (E4)', async () => {
    expect(await faultsOf(keyed(), 'Idempotency-Key', {
      empty: [''], 'only blanks': ['   '], '256 characters': ['k'.repeat(256)], 'a blank inside': ['a b'], 'a tab inside': ['a\tb'], 'an accent': ['caf\xe9'], 'an emoji': [Buffer.from('😀').toString('latin1')],
      'sent twice': ['first', 'second'], 'sent twice alike': ['same', 'same'],
    }, isProblem(400, 'idempotency_key_invalid'))).toEqual([]);
    expect(await faultsOf(keyed(), 'X-Idempotency-Key', { 'an alias that says otherwise': ['another'] }, isProblem(400, 'idempotency_key_invalid'))).toEqual([]);
    expect(await faultsOf(keyed(), 'Idempotency-Key', { 'a card number': ['4111-1111-1111-1111'] }, isProblem(400, 'card_data_not_accepted'))).toEqual([]);
  });
});

describe('on every route that takes a body', () => {
  // What PSPs post is taken byte by byte, whatever its type.
  const withBody = (): Operation[] => api.operations.filter(({ takesBody, needsKey }) => takesBody && needsKey);

  it('another media type or an encoding is 415', async () => {
    expect(await faultsOf(withBody(), 'Content-Type', {
      missing: [], empty: [''], text: ['text/plain'], XML: ['application/xml'], 'a form': ['application/x-www-form-urlencoded'], parts: ['multipart/form-data; boundary=x'],
      'another charset': ['application/json; charset=latin1'], nonsense: ['json'],
    }, isProblem(415, 'unsupported_media_type'))).toEqual([]);
    expect(await faultsOf(withBody(), 'Content-Encoding', { gzip: ['gzip'], deflate: ['deflate'], br: ['br'], nonsense: ['x'] }, isProblem(415, 'unsupported_media_type'))).toEqual([]);
  });

  it('a length that lies is refused, and what follows it is no request', async () => {
    expect(await faultsOf(withBody(), 'Content-Length', { 'too large': ['52428800'] }, isProblem(413, 'body_too_large'))).toEqual([]);
    expect(await faultsOf(withBody(), 'Content-Length', { negative: ['-1'], 'no number': ['many'], twice: ['10', '20'], exponent: ['1e3'] }, isProblem(400, 'malformed_request'))).toEqual([]);
    expect(await faultsOf(withBody(), 'Transfer-Encoding', { 'beside a length': ['chunked'] }, isProblem(400, 'malformed_request'))).toEqual([]);
    expect(await faultsOf(withBody(), 'Content-Length', { 'shorter than the body': ['5'] }, isProblem(400, 'malformed_json', 'malformed_request'))).toEqual([]);
  });
});

describe('two keys (E4)', () => {
  const pay = async (key: string): Promise<{ status: number; id: string | undefined }> => {
    const body = JSON.stringify({ amount: 100, currency: 'PEN', confirm: false, customer: { email: 'a@b.pe' } });
    const answer = await sendRaw(api.service.url, Buffer.from(headOf('POST', '/v1/payments', [
      ['Authorization', `Bearer ${api.ana.client}`], ['Idempotency-Key', key], ['Content-Type', 'application/json'], ['Content-Length', String(body.length)],
    ]) + body, 'latin1'));
    return { status: answer.status, id: (answer.body as { id?: string }).id };
  };

  it.each([
    ['that differ by case', 'key-a', 'KEY-A'], ['of which one goes on', 'key', 'key0'], ['of 255 and 254 characters', 'k'.repeat(255), 'k'.repeat(254)],
    ['that differ by a sign at the end', 'key-', 'key_'], ['of which one looks like a pattern', 'k%', 'k_'], ['that are numbers alike', '1', '1.0'], ['with leading zeros', '01', '001'],
  ])('%s are two payments', async (_how, one, other) => {
    const [first, second, again] = [await pay(one), await pay(other), await pay(one)];
    expect([first.status, second.status, again.status]).toEqual([201, 201, 201]);
    expect(second.id).not.toBe(first.id);
    expect(again.id).toBe(first.id);
  });

  it('of which one has blanks around it are one: HTTP takes them off', async () => {
    expect((await pay('  trimmed\t ')).id).toBe((await pay('trimmed')).id);
  });
});

it('after all that the service is ready', async () => {
  expect((await api.service.ask({ path: '/health/ready' })).status).toBe(200);
});
