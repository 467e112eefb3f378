import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock, TimeWindow } from '../../shared/clock.js';
import { GatewayError } from './gateway-error.js';
import { createHttpTransport } from './http.js';
import type { HttpAnswer } from './payment-gateway.js';

const transport = createHttpTransport();
const servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  server.on('connection', (socket: Socket) => { sockets.add(socket); socket.on('error', () => undefined); });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const raw = (answer: (socket: Socket) => void): Promise<string> => listen(createServer((socket) => { socket.once('data', () => { answer(socket); }); }));
const http = (answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> => listen(createHttpServer(answer));
const post = (url: string, body = '{}', withinMs = 1_000): Promise<HttpAnswer> =>
  transport.send({ method: 'POST', url: new URL(url), headers: { authorization: 'Bearer sk_test_secret' }, body }, TimeWindow.open(systemClock, withinMs));
const kindOf = (sent: Promise<HttpAnswer>): Promise<string> => sent.then(() => 'answered', (error: unknown) => (error as GatewayError).kind);

describe('a request of which no byte went out', () => {
  it('is not contacted when the connection is refused (A3)', async () => {
    const url = await http(() => undefined);
    servers.splice(0).forEach((server) => server.close());
    await sleep(20);
    expect(await kindOf(post(url))).toBe('not_contacted');
  });

  it('is not contacted when the name does not exist (A3)', async () => {
    expect(await kindOf(post('http://no-such-host.invalid/'))).toBe('not_contacted');
  });

  it('is not contacted when TLS fails (A3)', async () => {
    const url = await raw((socket) => socket.end('this is no TLS'));
    expect(await kindOf(post(url.replace('http:', 'https:')))).toBe('not_contacted');
  });

  it('is not contacted when its window is over before the connection stands, and the server sees nothing', async () => {
    let bytes = 0;
    const url = await listen(createServer((socket) => { socket.on('data', (chunk) => { bytes += chunk.length; }); }));
    expect(await kindOf(post(url, '{}', 0))).toBe('not_contacted');
    await sleep(50);
    expect(bytes).toBe(0);
  });

  it('stays unsent when the process stood still for longer than its window', async () => {
    let nowMs = 0;
    let bytes = 0;
    const url = await listen(createServer((socket) => { socket.on('data', (chunk) => { bytes += chunk.length; }); }));
    const window = TimeWindow.open({ now: () => new Date(), monotonicMs: () => nowMs }, 1_000);
    const sent = transport.send({ method: 'POST', url: new URL(url), headers: {}, body: '{}' }, window);
    nowMs = 5_000;
    expect(await kindOf(sent)).toBe('not_contacted');
    expect(bytes).toBe(0);
  });
});

describe('a server that speaks TLS', () => {
  const certificate = (name: string): string => readFileSync(join(import.meta.dirname, `../../../test/support/certificates/${name}.pem`), 'utf8');
  const trusted = getCACertificates('default');
  let requests = 0;
  // The authority of the tests is trusted, so that each certificate is refused for what is wrong with it, and not for who signed it.
  beforeAll(() => { setDefaultCACertificates([...trusted, certificate('test-authority.cert')]); });
  afterAll(() => { setDefaultCACertificates(trusted); });
  const https = async (name: string): Promise<string> => {
    requests = 0;
    const server = createHttpsServer({ key: certificate('test-server.key'), cert: certificate(`${name}.cert`) }, (request, response) => { requests++; request.resume().on('end', () => response.end('{}')); });
    server.on('tlsClientError', () => undefined);
    return (await listen(server)).replace('http:', 'https:');
  };

  it.each([
    ['was signed by itself', 'self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT'], ['is over', 'expired', 'CERT_HAS_EXPIRED'], ['is another host\'s', 'other-host', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('is refused when its certificate %s, and counts as not contacted (A3)', async (_what, name, code) => {
    const error = await post(await https(name)).then(() => null, (caught: unknown) => caught as GatewayError);
    expect(error).toMatchObject({ kind: 'not_contacted', cause: { code } });
    expect(requests).toBe(0);
  });

  it('is asked when its certificate is right', async () => {
    expect(await post(await https('right'))).toMatchObject({ status: 200, body: '{}' });
    expect(requests).toBe(1);
  });
});

describe('a request that went out', () => {
  it.each<[string, (socket: Socket) => void]>([
    ['the connection is reset (A4)', (socket) => { socket.resetAndDestroy(); }],
    ['the connection ends without an answer', (socket) => { socket.end(); }],
    ['nothing is answered', () => undefined],
    ['the answer is no HTTP', (socket) => { socket.end('hello'); }],
    ['the answer breaks off (A9)', (socket) => { socket.end('HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{"id":'); }],
    ['the chunked answer breaks off', (socket) => { socket.end('HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"id"\r\n'); }],
  ])('is unknown when %s', async (_fault, answer) => {
    expect(await kindOf(post(await raw(answer), '{}', 300))).toBe('outcome_unknown');
  });

  it('is unknown when the connection is reset in the middle of the body (A5)', async () => {
    let read = 0;
    const url = await raw((socket) => { socket.on('data', (chunk: Buffer) => { read += chunk.length; if (read > 100_000) socket.resetAndDestroy(); }); });
    expect(await kindOf(post(url, 'x'.repeat(8 * 1024 * 1024), 2_000))).toBe('outcome_unknown');
    expect(read).toBeLessThan(8 * 1024 * 1024);
  });

  it('is unknown when the answer drips past the deadline, however steadily (A10)', async () => {
    const url = await http((_request, response) => {
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => { clearInterval(drip); });
    });
    const startedMs = Date.now();
    expect(await kindOf(post(url, '{}', 300))).toBe('outcome_unknown');
    expect(Date.now() - startedMs).toBeLessThan(1_000);
  });

  it('is unknown when the answer is larger than a mebibyte', async () => {
    expect(await kindOf(post(await http((_request, response) => response.end(Buffer.alloc(1024 * 1024 + 1)))))).toBe('outcome_unknown');
  });

  it('is answered once, with nothing sent twice', async () => {
    let requests = 0;
    const url = await raw((socket) => { requests++; socket.resetAndDestroy(); });
    await kindOf(post(url));
    await sleep(50);
    expect(requests).toBe(1);
  });
});

describe('an answer', () => {
  it('arrives with its status, whatever that is, and no redirect is followed (A22)', async () => {
    let visits = 0;
    const url = await http((_request, response) => { visits++; response.writeHead(302, { location: '/elsewhere' }).end('moved'); });
    expect(await post(url)).toMatchObject({ status: 302, body: 'moved' });
    expect(visits).toBe(1);
  });

  it('keeps characters whole that are split between packets', async () => {
    const text = Buffer.from('{"message":"denegación 😀"}');
    const url = await http((_request, response) => {
      response.writeHead(200, { 'content-length': text.length });
      for (const byte of text) response.write(Buffer.from([byte]));
      response.end();
    });
    expect((await post(url)).body).toBe(text.toString());
  });

  it('is asked for with the body\'s length in bytes, uncompressed', async () => {
    let seen: IncomingMessage['headers'] = {};
    const url = await http((request, response) => { seen = request.headers; request.resume().on('end', () => response.end('{}')); });
    await post(url, '{"name":"Ñandú €"}');
    expect(seen).toMatchObject({ 'content-length': String(Buffer.byteLength('{"name":"Ñandú €"}')), 'accept-encoding': 'identity' });
  });

  it('comes over a connection that is used again', async () => {
    const ports = new Set<number | undefined>();
    const url = await http((request, response) => { ports.add(request.socket.remotePort); request.resume().on('end', () => response.end('{}')); });
    for (let i = 0; i < 5; i++) await post(url);
    expect(ports.size).toBe(1);
  });

  it('never comes over a connection that was idle for so long that the PSP may be closing it (T19)', async () => {
    const ports = new Set<number | undefined>();
    const server = createHttpServer({ keepAliveTimeout: 60_000 }, (request, response) => { ports.add(request.socket.remotePort); request.resume().on('end', () => response.end('{}')); });
    const url = await listen(server);
    await post(url);
    await sleep(4_300);
    await post(url);
    expect(ports.size).toBe(2);
  }, 10_000);
});

describe('a server that closes each connection right after its answer (T19)', () => {
  const ANSWER = 'HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n{}';
  it.each<[string, (socket: Socket) => void]>([
    ['at once', (socket) => { socket.end(ANSWER); }],
    ['a moment later', (socket) => { socket.write(ANSWER); setImmediate(() => { socket.end(); }); }],
    ['by a reset', (socket) => { socket.write(ANSWER, () => { setImmediate(() => { socket.resetAndDestroy(); }); }); }],
    // A packet that is on its way cannot be seen: without another look at the connection it would be every second request.
  ])('%s leaves hardly anything of two hundred requests unknown', async (_when, answer) => {
    const url = await raw(answer);
    const kinds = new Map<string, number>();
    for (let round = 0; round < 200; round++) {
      const kind = await kindOf(post(url));
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    expect([...kinds.keys()].filter((kind) => !['answered', 'not_contacted', 'outcome_unknown'].includes(kind))).toEqual([]);
    expect(kinds.get('outcome_unknown') ?? 0).toBeLessThan(20);
    expect(kinds.get('answered') ?? 0).toBeGreaterThan(150);
  });
});

it('an error names neither header nor body', async () => {
  const error: unknown = await post(await raw((socket) => { socket.resetAndDestroy(); }), '{"source_id":"tkn_test_secret"}').catch((caught: unknown) => caught);
  expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('secret');
});
