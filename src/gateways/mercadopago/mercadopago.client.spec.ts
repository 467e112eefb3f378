import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { systemClock, TimeWindow } from '../../shared/clock.js';
import { JsonNumber } from '../contract/exact-json.js';
import { GatewayError } from '../contract/gateway-error.js';
import { createHttpTransport } from '../contract/http.js';
import type { HttpAnswer, HttpRequest, SendHttp } from '../contract/payment-gateway.js';
import { MercadopagoClient } from './mercadopago.client.js';

const clientOver = (send: SendHttp, accessToken = 'APP_USR-sec-aaaaaa'): MercadopagoClient => new MercadopagoClient({
  credentials: { accessToken, publicKey: 'APP_USR-pub-aaaaaa', webhookSecret: 'whsec-aaaaaa' }, environment: 'sandbox', settings: {}, hosts: { api: new URL('http://mercadopago.example:4012') }, send,
  window: TimeWindow.open(systemClock, 1_000), now: () => new Date(),
});
const recording = (answer: Partial<HttpAnswer> = {}) => {
  const requests: HttpRequest[] = [];
  const send: SendHttp = (request) => {
    requests.push(request);
    return Promise.resolve({ status: 201, headers: {}, body: '{}', ...answer });
  };
  return { requests, send };
};

describe('the SDK (psp/mercadopago.md §12)', () => {
  it('sends through our transport, to our host, and to nobody else', async () => {
    const { requests, send } = recording();
    await clientOver(send).createPayment({ transaction_amount: 58.8, description: 'Ñandú' }, 'att_1', 'tok');
    expect(requests.map(({ method, url }) => [method, url.href])).toEqual([['POST', 'http://mercadopago.example:4012/v1/payments']]);
    expect(requests[0]?.body).toBe('{"transaction_amount":58.8,"description":"Ñandú"}');
    expect(requests[0]?.headers).toEqual({ authorization: 'Bearer APP_USR-sec-aaaaaa', accept: 'application/json', 'user-agent': 'smartpay', 'content-type': 'application/json', 'x-idempotency-key': 'att_1' });
  });

  it('does not carry the key of one call into the next', async () => {
    const { requests, send } = recording();
    const client = clientOver(send);
    await client.createPayment({}, 'att_1', 'tok');
    await client.createPayment({}, 'att_2', 'tok');
    await client.createRefund('1', { amount: 1 }, 'att_3');
    await client.getPayment('1');
    expect(requests.map(({ headers }) => headers['x-idempotency-key'])).toEqual(['att_1', 'att_2', 'att_3', undefined]);
  });

  it('never mixes the tenants of calls that run at the same time', async () => {
    const requests: HttpRequest[] = [];
    const send: SendHttp = async (request) => {
      await new Promise((resolve) => { setTimeout(resolve, Math.random() * 5); });
      requests.push(request);
      return { status: 201, headers: {}, body: '{}' };
    };
    await Promise.all(Array.from({ length: 40 }, (_, i) => clientOver(send, `APP_USR-sec-tenant${i % 4}`).createPayment({ n: i }, `att_${i}`, 'tok')));
    for (const { headers, body = '' } of requests) {
      const { n } = JSON.parse(body) as { n: number };
      expect([headers.authorization, headers['x-idempotency-key']]).toEqual([`Bearer APP_USR-sec-tenant${n % 4}`, `att_${n}`]);
    }
    expect(requests).toHaveLength(40);
  });

  it.each([429, 500, 502, 503, 504])('tries nothing again after %d, and its status is not lost', async (status) => {
    const { requests, send } = recording({ status, body: '{"message":"later","status":500,"cause":[]}' });
    expect((await clientOver(send).createPayment({}, 'att_1', 'tok')).status).toBe(status);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
    expect(requests).toHaveLength(1);
  });

  it('tries nothing again after a connection that failed, and our error arrives as it is', async () => {
    let calls = 0;
    const failing = clientOver(() => {
      calls += 1;
      return Promise.reject(new GatewayError('outcome_unknown', 'the connection failed'));
    });
    await expect(failing.createPayment({}, 'att_1', 'tok')).rejects.toMatchObject({ kind: 'outcome_unknown' });
    await new Promise((resolve) => { setTimeout(resolve, 50); });
    expect(calls).toBe(1);
  });

  it('hangs no call for which it sends nothing: that was surely not done', async () => {
    const { requests, send } = recording();
    await expect(clientOver(send).createPayment({ transaction_amount: 1n }, 'att_1', 'tok')).rejects.toMatchObject({ kind: 'not_contacted' });
    expect(requests).toEqual([]);
  });

  it('waits for a body no longer than our window, and the outcome is unknown then', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(201, { 'content-type': 'application/json' }).write('{"id":');
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    const transport = createHttpTransport();
    const client = new MercadopagoClient({
      credentials: { accessToken: 'APP_USR-sec-aaaaaa', publicKey: 'APP_USR-pub-aaaaaa', webhookSecret: 'whsec-aaaaaa' }, environment: 'sandbox', settings: {}, hosts: { api: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`) },
      send: transport.send, window: TimeWindow.open(systemClock, 300), now: () => new Date(),
    });
    const startedMs = performance.now();
    await expect(client.createPayment({}, 'att_1', 'tok')).rejects.toMatchObject({ kind: 'outcome_unknown' });
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    transport.close();
    server.closeAllConnections();
    server.close();
  });

  it('rounds no id and no amount', async () => {
    const { send } = recording({ status: 200, body: '{"id":217000061307271001,"transaction_amount":9007199254740993.25}' });
    const { body } = await clientOver(send).getPayment('217000061307271001');
    expect(body).toEqual({ id: new JsonNumber('217000061307271001'), transaction_amount: new JsonNumber('9007199254740993.25') });
  });

  it.each([['<html></html>', undefined], ['', undefined], ['{"a":', undefined]])('makes nothing of an answer that is no JSON (%j)', async (text, body) => {
    expect((await clientOver(recording({ status: 200, body: text }).send).getPayment('1')).body).toBe(body);
  });

  it('leaves everybody else\'s fetch alone', async () => {
    const { requests, send } = recording();
    const elsewhere = fetch('http://127.0.0.1:9/').catch(() => 'refused');
    await clientOver(send).getPayment('1');
    expect(await elsewhere).toBe('refused');
    expect(requests).toHaveLength(1);
  });

  it('shows no token that an answer repeats', async () => {
    const { send } = recording({ status: 201, body: '{"message":"bad tok_secret_0123 for APP_USR-sec-aaaaaa"}' });
    expect(JSON.stringify(await clientOver(send).createPayment({}, 'att_1', 'tok_secret_0123'))).not.toMatch(/tok_secret|sec-aaaaaa/);
  });
});
