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

it('a plan with a strange address is refused', () => {
  expect(() => sender.change('test_shop01', { url: 'ftp://somewhere' })).toThrow('url');
});
