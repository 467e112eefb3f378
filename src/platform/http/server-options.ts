import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyHttpOptions, FastifyReply, FastifyRequest } from 'fastify';
import type { Env } from '../../config/env.js';
import { Problem, toProblemBody, type ProblemCode } from '../../shared/problem.js';
import { BODY_BYTES_MAX } from './json-body.js';
import { PROBLEM_TYPE, sendProblem } from './problem-reply.js';
import { traceIdOf } from './trace.js';

/** A client has this long to send its headers, and its whole request. */
const HEADERS_MS_MAX = 5_000;
const REQUEST_MS_MAX = 10_000;
/** How often Node looks for clients that are too slow. */
const CHECK_EVERY_MS = 500;
/** Above the idle time of the balancers in front (60 s is common), so that they never meet a closing socket. */
const KEEP_ALIVE_MS = 65_000;

/** Bounds of the HTTP server, and problems for what fails before any route is known. */
export function serverOptions(env: Pick<Env, 'trustProxy'>): FastifyHttpOptions<Server> {
  return {
    bodyLimit: BODY_BYTES_MAX, requestTimeout: REQUEST_MS_MAX, keepAliveTimeout: KEEP_ALIVE_MS, trustProxy: trusted(env.trustProxy),
    http: { headersTimeout: HEADERS_MS_MAX, requestTimeout: REQUEST_MS_MAX, connectionsCheckingInterval: CHECK_EVERY_MS },
    routerOptions: { maxParamLength: 128, ignoreTrailingSlash: false },
    return503OnClosing: false,
    frameworkErrors: refuseUrl,
    clientErrorHandler: refuseConnection,
  };
}

/** Fastify takes no number of hops; the nearest hop is 0. */
function trusted(proxies: Env['trustProxy']): Exclude<Env['trustProxy'], number> | ((address: string, hop: number) => boolean) {
  return typeof proxies === 'number' ? (_address, hop) => hop < proxies : proxies;
}

/** A URL that cannot be decoded or is longer than any of ours names no route. */
function refuseUrl(_error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(request, reply, new Problem('route_not_found', 'There is no such route.'));
}

const CLIENT_ERRORS: Readonly<Record<string, readonly [ProblemCode, string, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'Request Timeout', 'The request came too slowly.'],
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'Request Header Fields Too Large', 'The headers are too large.'],
};

/** What Node could not read as HTTP has neither headers nor route: it is answered on the bare socket, which then closes. */
function refuseConnection(error: NodeJS.ErrnoException & { rawPacket?: unknown }, socket: Socket & { _httpMessage?: { req?: IncomingMessage; headersSent?: boolean } }): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket._httpMessage?.headersSent === true) {
    socket.destroy();
    return;
  }
  const [code, reason, detail] = CLIENT_ERRORS[error.code ?? ''] ?? ['malformed_request', 'Bad Request', 'The request is not HTTP as we understand it.'] as const;
  const problem = new Problem(code, detail);
  const traceId = traceIdOf({});
  const body = JSON.stringify(toProblemBody(problem, { instance: '', traceId }));
  const head = `HTTP/1.1 ${problem.status} ${reason}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nX-Trace-Id: ${traceId}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body, () => { socket.destroy(); });
}
