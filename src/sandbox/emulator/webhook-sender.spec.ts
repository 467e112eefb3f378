import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { WebhookSender } from './webhook-sender.js';

let server: Server;
let url: string;
let bodies: string[] = [];
let statuses: number[] = [];
const sender = new WebhookSender();
const send = (...events: string[]): void => { for (const event of events) sender.send({ merchant: 'test_shop01', event, headers: { 'x-event': event }, body: event }); };

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => { setTimeout(resolve, 5); });
}

beforeEach(async () => {
  bodies = [];
  statuses = [];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => { body += chunk.toString(); });
    request.on('end', () => {
      bodies.push(body);
      response.writeHead(statuses.shift() ?? 200).end('{}');
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
});
afterEach(() => {
  sender.clear();
  server.close();
  server.closeAllConnections();
});

it('a merchant without an address gets none', async () => {
  send('a');
  await sender.idle();
  expect(sender.sent()).toEqual([]);
});

it('webhooks arrive in order, each as often as the plan says', async () => {
  sender.change('shop01', { url, copies: 2 });
  send('a', 'b');
  await sender.idle();
  expect(bodies).toEqual(['a', 'a', 'b', 'b']);
  expect(sender.sent('shop01').map(({ status }) => status)).toEqual([200, 200, 200, 200]);
});

it('those of one delay arrive in reverse where the plan says so', async () => {
  sender.change('test_shop01', { url, order: 'reversed', delayMs: 20 });
  send('a', 'b', 'c');
  await sender.idle();
  expect(bodies).toEqual(['c', 'b', 'a']);
});

it('lost ones never arrive, and what is refused is sent again', async () => {
  sender.change('test_shop01', { url, lost: 1 });
  statuses = [503, 500];
  send('a', 'b');
  await sender.idle();
  expect(bodies).toEqual(['b', 'b', 'b']);
  expect(sender.sent().map(({ status }) => status)).toEqual([null, 503, 500, 200]);
});

it.each([['shop01', 'test_shop01'], ['test_shop01', 'shop01']])('a plan changed by the name %s and then by %s holds both changes', async (first, second) => {
  sender.change(first, { url });
  sender.change(second, { copies: 2 });
  send('a');
  await sender.idle();
  expect(bodies).toEqual(['a', 'a']);
});

it('what one merchant is told by its whole name does not reach another with the same suffix', async () => {
  sender.change('test_shop01', { url });
  sender.send({ merchant: 'live_shop01', event: 'a', headers: {}, body: 'a' });
  await sender.idle();
  expect(bodies).toEqual([]);
});

it('an address that cannot be posted to is an answer that never came, and what follows still goes', async () => {
  sender.change('test_shop01', { url });
  sender.send({ merchant: 'test_shop01', event: 'a', headers: {}, body: 'a', url: 'https://127.0.0.1:1/hook' });
  sender.send({ merchant: 'test_shop01', event: 'a', headers: {}, body: 'a', url: 'gopher://127.0.0.1/' });
  send('b');
  await until(() => sender.sent().length > 2);
  expect(bodies).toEqual(['b']);
  expect(sender.sent().map(({ body, status }) => [body, status])).toEqual([['a', null], ['a', null], ['b', 200]]);
});

it('what is refused five times is given up', async () => {
  const short = new WebhookSender(1);
  short.change('test_shop01', { url });
  statuses = Array<number>(9).fill(500);
  short.send({ merchant: 'test_shop01', event: 'a', headers: {}, body: 'a' });
  await short.idle();
  expect(short.sent().map(({ status }) => status)).toEqual([500, 500, 500, 500, 500]);
});

it('an answer that does not end in time counts as none', async () => {
  const hasty = new WebhookSender(1, 60);
  server.removeAllListeners('request');
  let asked = 0;
  server.on('request', (_request, response) => {
    asked += 1;
    response.writeHead(200);
    // A byte now and then: a deadline of silence alone would never strike.
    const drip = setInterval(() => response.write(' '), 20);
    response.on('close', () => { clearInterval(drip); });
  });
  hasty.change('test_shop01', { url });
  hasty.send({ merchant: 'test_shop01', event: 'a', headers: {}, body: 'a' });
  await hasty.idle();
  expect([asked, hasty.sent().map(({ status }) => status)]).toEqual([5, [null, null, null, null, null]]);
});

it('after it is cleared nothing goes out any more, not even what was refused', async () => {
  sender.change('test_shop01', { url });
  statuses = [500];
  send('a');
  await until(() => bodies.length > 0);
  sender.clear();
  await new Promise((resolve) => { setTimeout(resolve, 600); });
  expect([bodies, sender.sent()]).toEqual([['a'], []]);
});

it('a webhook waits for the delay of its plan', async () => {
  sender.change('test_shop01', { url, delayMs: 80 });
  const begun = Date.now();
  send('a');
  await sender.idle();
  expect(Date.now() - begun).toBeGreaterThanOrEqual(75);
});

it('a plan with a strange address is refused', () => {
  expect(() => sender.change('test_shop01', { url: 'ftp://somewhere' })).toThrow('url');
});
