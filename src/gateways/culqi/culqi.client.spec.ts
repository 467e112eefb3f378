import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { systemClock, TimeWindow } from '../../shared/clock.js';
import { GatewayError } from '../contract/gateway-error.js';
import type { HttpAnswer, HttpRequest, SendHttp } from '../contract/payment-gateway.js';
import { CulqiClient } from './culqi.client.js';
import { CulqiGateway } from './culqi.gateway.js';

/** The faults of culqi-node 2.1.0 by their numbers in psp/culqi.md §1.17, each shown to be fenced off. */

function clientOver(send: SendHttp, suffix = 'AAAAAAAAAAAA'): CulqiClient {
  return new CulqiClient({
    credentials: { publicKey: `pk_test_${suffix}`, secretKey: `sk_test_${suffix}` }, environment: 'sandbox', settings: {}, hosts: { api: new URL('http://culqi.example:8080') },
    send, window: TimeWindow.open(systemClock, 1_000), now: () => new Date(),
  });
}

/** A transport that remembers what it was asked and gives one answer. */
function answering(answer: Partial<HttpAnswer>): { send: SendHttp; requests: HttpRequest[] } {
  const requests: HttpRequest[] = [];
  return { requests, send: (request) => { requests.push(request); return Promise.resolve({ status: 201, headers: {}, body: '{}', ...answer }); } };
}

const charge = { amount: 1_000, currency_code: 'PEN', description: 'denegación ñ €' };

describe('culqi-node is fenced off', () => {
  it('1: it is imported in spite of its broken main, and brings the charges we call', () => {
    const Culqi = createRequire(import.meta.url)('culqi-node') as new (options: { privateKey: string }) => { charges: Record<string, unknown> };
    expect(Object.keys(new Culqi({ privateKey: 'sk_unused' }).charges)).toEqual(expect.arrayContaining(['createCharge', 'getCharge', 'getCharges']));
  });

  it('2: each call carries its own tenant\'s key, however many clients there are', async () => {
    const sent = answering({});
    const clients = Array.from({ length: 20 }, (_, i) => ({ suffix: `Tenant${i}xxxxxx`, client: clientOver(sent.send, `Tenant${i}xxxxxx`) }));
    await Promise.all(clients.map(({ client, suffix }) => client.createCharge({ ...charge, description: suffix })));
    for (const { body, headers } of sent.requests) {
      const { description } = JSON.parse(body ?? '') as { description: string };
      expect(headers.authorization).toBe(`Bearer sk_test_${description}`);
    }
    expect(sent.requests).toHaveLength(20);
  });

  it('3: its length in characters is not passed on; the transport counts bytes', async () => {
    const sent = answering({});
    await clientOver(sent.send).createCharge(charge);
    expect(Object.keys(sent.requests[0]!.headers)).toEqual(['authorization', 'accept', 'user-agent', 'content-type']);
    expect(JSON.parse(sent.requests[0]!.body!)).toEqual(charge);
  });

  it.each(['not_contacted', 'outcome_unknown'] as const)('4, 5, 6: a transport that fails (%s) is heard, and the call ends', async (kind) => {
    const failing: SendHttp = () => Promise.reject(new GatewayError(kind, 'the connection failed'));
    await expect(clientOver(failing).createCharge(charge)).rejects.toMatchObject({ kind });
  });

  it('7: an empty answer is an answer, with its status', async () => {
    expect(await clientOver(answering({ status: 204, body: '' }).send).getCharge('chr_test_a')).toMatchObject({ status: 204, body: undefined });
  });

  it.each([402, 401, 429, 500])('8: a refusal keeps its status %i, its headers and its body', async (status) => {
    const answer = await clientOver(answering({ status, headers: { 'x-culqi-tracking-id': '7' }, body: '{"object":"error"}' }).send).createCharge(charge);
    expect(answer).toEqual({ status, headers: { 'x-culqi-tracking-id': '7' }, body: { object: 'error' } });
  });

  it.each([200, 201, 150, 249])('9, 10: status %i is told apart from the others', async (status) => {
    expect((await clientOver(answering({ status }).send).createCharge(charge)).status).toBe(status);
  });

  it.each(['../refunds?limit=1', 'chr_test_a/../../tokens', 'chr_test_a?x=1', ''])('11: "%s" never becomes part of an address', async (id) => {
    const sent = answering({ status: 200 });
    const gateway = new CulqiGateway({
      credentials: { publicKey: 'pk_test_x', secretKey: 'sk_test_x' }, environment: 'sandbox', settings: {}, hosts: { api: new URL('http://culqi.example') },
      send: sent.send, window: TimeWindow.open(systemClock, 1_000), now: () => new Date(),
    });
    await expect(gateway.fetchPayment(id)).rejects.toMatchObject({ kind: 'request_rejected' });
    expect(sent.requests).toEqual([]);
  });

  it('12, 15: reading sends neither a body nor a content type', async () => {
    const sent = answering({ status: 200 });
    await clientOver(sent.send).getCharge('chr_test_a');
    expect(sent.requests[0]).toMatchObject({ method: 'GET', url: new URL('http://culqi.example:8080/v2/charges/chr_test_a') });
    expect(sent.requests[0]!.body).toBeUndefined();
    expect(sent.requests[0]!.headers['content-type']).toBeUndefined();
  });

  it('13: characters arrive whole, since the answer is one text by the time the SDK sees it', async () => {
    expect((await clientOver(answering({ body: '{"message":"denegación 😀"}' }).send).createCharge(charge)).body).toEqual({ message: 'denegación 😀' });
  });

  it('14: the amount goes out as the integer that the API documents', async () => {
    const sent = answering({});
    await clientOver(sent.send).createCharge(charge);
    expect(sent.requests[0]!.body).toContain('"amount":1000,');
  });

  it('15: calls go to the configured host, filters in the query', async () => {
    const sent = answering({ status: 200 });
    await clientOver(sent.send).listCharges({ limit: '100', currency_code: 'PEN' });
    expect(sent.requests[0]!.url.href).toBe('http://culqi.example:8080/v2/charges?limit=100&currency_code=PEN');
  });

  it('an answer that is no JSON has no body, and nothing is thrown behind our back', async () => {
    expect(await clientOver(answering({ status: 502, body: '<html>Bad gateway</html>' }).send).createCharge(charge)).toMatchObject({ status: 502, body: undefined });
  });
});
