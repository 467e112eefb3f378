import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createHttpTransport } from '../../src/gateways/contract/http.js';
import type { HttpRequest, SendHttp } from '../../src/gateways/contract/payment-gateway.js';

/** A way out that keeps what it sent. */
export function recorder(): { send: SendHttp; requests: HttpRequest[]; close: () => void } {
  const transport = createHttpTransport();
  const requests: HttpRequest[] = [];
  return {
    requests,
    send: (request, window) => {
      requests.push(request);
      return transport.send(request, window);
    },
    close: () => { transport.close(); },
  };
}

/** Something that stands where a PSP should, and what it was asked. */
export type Stub = { url: URL; seen: { method: string; path: string; body: string }[]; close: () => Promise<void> };

/** A server that answers HTTP as `answer` says, with what it was asked read to the end. */
export async function httpStub(answer: (response: ServerResponse, request: IncomingMessage) => void): Promise<Stub> {
  const seen: Stub['seen'] = [];
  const server = createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    response.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => { chunks.push(chunk); });
    request.on('end', () => {
      seen.push({ method: request.method ?? '', path: request.url ?? '', body: Buffer.concat(chunks).toString('utf8') });
      answer(response, request);
    });
  });
  return listening(server, seen);
}

/** A server that reads what comes and does `then` with the connection. */
export async function rawStub(then: (socket: Socket) => void): Promise<Stub> {
  const seen: Stub['seen'] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (chunk) => {
      const [method = '', path = ''] = chunk.toString('latin1').split(' ');
      seen.push({ method, path, body: '' });
      then(socket);
    });
  });
  return listening(server, seen);
}

async function listening(server: Server, seen: Stub['seen']): Promise<Stub> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    seen, url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    close: () => new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => { resolve(); });
    }),
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };
const HUGE = JSON.stringify({ padding: 'x'.repeat(2 * 1024 * 1024) });

/** Ways to answer after which nobody knows what became of a request (rows A1, A4, A6, A9, A10, A22). */
export const UNKNOWN_ANSWERS: readonly (readonly [what: string, start: () => Promise<Stub>])[] = [
  ['the connection is reset', () => rawStub((socket) => { socket.resetAndDestroy(); })],
  ['the connection ends', () => rawStub((socket) => { socket.end(); })],
  ['nothing is answered', () => rawStub(() => undefined)],
  ['it answers no HTTP', () => rawStub((socket) => { socket.end('hello'); })],
  ['the answer breaks off', () => rawStub((socket) => { socket.end('HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"id":'); })],
  ...[500, 502, 503, 504].map((status) => [`it answers ${status}`, () => httpStub((response) => response.writeHead(status, JSON_TYPE).end('{"message":"later"}'))] as const),
  ...[200, 201, 402].flatMap((status) => [
    [`it answers ${status} with HTML`, () => httpStub((response) => response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>Estamos en mantenimiento</h1>'))],
    [`it answers ${status} with nothing`, () => httpStub((response) => response.writeHead(status, JSON_TYPE).end())],
    [`it answers ${status} with half a JSON`, () => httpStub((response) => response.writeHead(status, JSON_TYPE).end('{"status":"success","id":"'))],
    [`it answers ${status} with JSON of another kind`, () => httpStub((response) => response.writeHead(status, JSON_TYPE).end('{"hello":"world"}'))],
  ] as const),
  ['it answers more than can be read', () => httpStub((response) => response.writeHead(200, JSON_TYPE).end(HUGE))],
  ['it answers zeros, packed', () => httpStub((response) => response.writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip' }).end(Buffer.alloc(1_000)))],
  ['it answers a byte at a time', () => httpStub((response) => {
    const drip = setInterval(() => response.write(' '), 20);
    response.on('close', () => { clearInterval(drip); });
  })],
];
