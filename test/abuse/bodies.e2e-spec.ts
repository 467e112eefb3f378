import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApi, type Api } from '../support/api.js';
import type { PaymentBody } from '../support/payments.js';
import { headOf, sendRaw } from '../support/raw-http.js';

let api: Api;
beforeAll(async () => { api = await startApi(); }, 60_000);
afterAll(() => api.close());

const BODY_BYTES_MAX = 256 * 1024;
const payment = (changes: Record<string, unknown>): Record<string, unknown> => ({ amount: 100, currency: 'PEN', confirm: false, customer: { email: 'a@b.pe' }, ...changes });
const create = (body: unknown) => api.service.ask<PaymentBody & { code?: string; errors?: { field: string }[] }>({
  method: 'POST', path: '/v1/payments', key: api.ana.client, body, headers: { 'idempotency-key': randomUUID() },
});
const head = (...more: (readonly [string, string])[]): string => headOf('POST', '/v1/payments', [
  ['Authorization', `Bearer ${api.ana.client}`], ['Idempotency-Key', randomUUID()], ['Content-Type', 'application/json'], ...more,
]);

describe('a body', () => {
  it('may have 256 KB and not one byte more', async () => {
    const of = (bytes: number): string => {
      const text = JSON.stringify(payment({}));
      return text + ' '.repeat(bytes - text.length);
    };
    expect((await create(of(BODY_BYTES_MAX))).status).toBe(201);
    expect(await create(of(BODY_BYTES_MAX + 1))).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
  });

  it('without an end is cut off once it is too large', async () => {
    const before = await api.rows();
    const chunk = Buffer.alloc(64 * 1024, 0x20);
    let sent = 0;
    const answer = await sendRaw(api.service.url, head(['Transfer-Encoding', 'chunked']), (socket) => {
      // Step by step: on a connection that the service closes while more is on its way, TCP may throw the answer away.
      const timer = setInterval(() => {
        if (socket.destroyed || sent >= 800) clearInterval(timer);
        else socket.write(`10000\r\n${chunk.toString('latin1')}\r\n`, () => { sent += 1; });
      }, 5);
    });
    expect(answer).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
    expect(sent).toBeLessThan(800); // of 50 MB
    expect(await api.rows()).toBe(before);
  });

  it('of wrong chunks is no request', async () => {
    for (const chunks of ['zz\r\n{}\r\n0\r\n\r\n', '5\r\n{}\r\n0\r\n\r\n', 'ffffffffffffffffff\r\n{}', '-1\r\n{}\r\n']) {
      expect(await sendRaw(api.service.url, head(['Transfer-Encoding', 'chunked']) + chunks)).toMatchObject({ status: 400, body: { code: 'malformed_request' } });
    }
  });

  it('with a hundred thousand members, lists or levels is refused quickly', async () => {
    const members = `{${Array.from({ length: 15_000 }, (_, index) => `"k${index}":1`).join(',')}}`;
    for (const body of [members, `{"metadata":${members}}`, `{"a":[${'1,'.repeat(100_000)}1]}`, `${'{"a":'.repeat(40_000)}1`, '['.repeat(100_000), `{"a":"${'\\u0041'.repeat(40_000)}"}`]) {
      const startedMs = performance.now();
      const { status } = await create(body);
      expect(status).toBe(400);
      expect(performance.now() - startedMs).toBeLessThan(2_000);
    }
  });

  it('with text that drives a careless pattern mad is answered quickly (G14)', async () => {
    const evil = [`${'a'.repeat(100_000)}!`, `${'a@'.repeat(50_000)}`, `${'a.'.repeat(50_000)}@b.pe`, `a@${'b.'.repeat(50_000)}`, `${' '.repeat(100_000)}x`, `${'1 '.repeat(50_000)}x`, `${'4'.repeat(100_000)}`, `https://${'a'.repeat(100_000)}`, `+${'0'.repeat(100_000)}`];
    for (const text of evil) {
      for (const changes of [{ description: text }, { reference: text }, { returnUrl: text }, { customer: { email: text } }, { customer: { email: 'a@b.pe', phone: text } }, { customer: { email: 'a@b.pe', ip: text } }, { metadata: { a: text } }]) {
        const startedMs = performance.now();
        const { status } = await create(payment(changes));
        expect(status).toBe(400);
        expect(performance.now() - startedMs).toBeLessThan(2_000);
      }
    }
  });
});

describe('text of any script (G4)', () => {
  const TEXTS: [what: string, text: string, accepted: boolean][] = [
    ['emoji', '😀👩‍👩‍👧', true], ['text from right to left', 'شركة', true], ['a mark that turns the writing around', 'abc\u202Egnp', true], ['signs without width', 'a\u200Bb\uFEFFc', true],
    ['combining signs', 'n\u0303 e\u0301', true], ['the same composed', 'ñ é', true], ['four bytes', '𝔘𝔫𝔦𝔠𝔬𝔡𝔢', true], ['quotes and slashes', `\\"'/<&>{{7*7}}\${x}%00`, true], ['a formula', '=HYPERLINK("x")', true],
    ['blanks of all kinds', 'a\u00A0b\u3000c', true],
    ['half a surrogate', 'a\uD800b', false], ['a NUL', 'a\0b', false], ['a line break', 'a\r\nBcc: x@y.pe', false], ['an escape', 'a\u001Bb', false],
  ];
  it.each(TEXTS)('%s is kept as it is, or refused', async (_what, text, accepted) => {
    const [made, named] = [await create(payment({ description: text, metadata: { note: text } })), await create(payment({ customer: { email: 'a@b.pe', lastName: text } }))];
    expect([made.status, named.status]).toEqual(accepted ? [201, 201] : [400, 400]);
    if (!accepted) {
      expect([made.body.errors?.[0]?.field, named.body.errors?.[0]?.field]).toEqual(['description', 'customer.lastName']);
      return;
    }
    const shown = (await api.service.ask<PaymentBody & { description: string }>({ path: `/v1/payments/${made.body.id}`, key: api.ana.client })).body;
    expect(shown).toMatchObject({ description: text, metadata: { note: text } });
    expect((await api.service.ask<PaymentBody>({ path: `/v1/payments/${named.body.id}`, key: api.ana.client })).body.customer.lastName).toBe(text);
  });
});

describe('a client that is too slow (G3)', () => {
  it('gets 408, whether it drips its headers or its body, while others are served', async () => {
    const drip = (text: string) => (socket: { write: (text: string) => unknown; destroyed: boolean }): void => {
      let at = 0;
      const timer = setInterval(() => {
        if (socket.destroyed || at >= text.length) clearInterval(timer);
        else socket.write(text.charAt(at++));
      }, 100);
    };
    const startedMs = performance.now();
    const [headers, body, nothing] = await Promise.all([
      sendRaw(api.service.url, '', drip(head(['X-Padding', 'x'.repeat(500)]))),
      sendRaw(api.service.url, head(['Content-Length', '5000']), drip(' '.repeat(5_000))),
      sendRaw(api.service.url, 'POST /v1/payments HTTP/1.1\r\n'),
      (async () => {
        for (let turn = 0; turn < 20; turn++, await sleep(100)) expect((await api.service.ask({ path: '/v1/payments', key: api.ana.client })).status).toBe(200);
      })(),
    ]);
    for (const answer of [headers, body, nothing]) expect(answer).toMatchObject({ status: 408, body: { code: 'request_timeout' } });
    expect(performance.now() - startedMs).toBeLessThan(15_000);
  }, 30_000);
});

it('after all that the service is ready', async () => {
  expect((await api.service.ask({ path: '/health/ready' })).status).toBe(200);
});
