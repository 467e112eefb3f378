import { Logger } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { containsCardNumber } from '../../shared/card-number.js';
import { systemClock, TimeWindow } from '../../shared/clock.js';
import { Problem } from '../../shared/problem.js';
import { beginRequestSpan, endRequestSpan } from '../tracing/request-spans.js';
import { refuseCardData } from './card-data.js';
import { refuseForeignEncoding } from './json-body.js';
import { sendProblem } from './problem-reply.js';
import { requestContext } from './request-context.js';
import { runWithTrace } from './trace.js';

/** "Answered at latest 2 s after" the deadline (design/api.md), with time to spare for the answer's way. */
const OVERTIME_MS = 1_500;

declare module 'fastify' {
  interface FastifyInstance {
    /** The process was told to stop: it answers what still comes, and wants no more. */
    isLeaving: boolean;
  }
}

/** What happens to every request, whatever its route: trace, deadline, plain refusals, and one log line at its end. */
export function addRequestHooks(fastify: FastifyInstance, { requestDeadlineMs }: { requestDeadlineMs: number }): void {
  const logger = new Logger('Request');
  const overtime = new WeakMap<FastifyRequest, NodeJS.Timeout>();

  fastify.addHook('onRequest', (request, reply, done) => {
    const context = requestContext(request);
    context.window = TimeWindow.open(systemClock, requestDeadlineMs);
    overtime.set(request, setTimeout(() => { answerLate(request, reply); }, requestDeadlineMs + OVERTIME_MS));
    void reply.headers({ 'x-trace-id': context.traceId, ...securityHeaders(request) });
    runWithTrace(context.traceId, () => { beginRequestSpan(request, () => { done(refusalOf(request)); }); });
  });

  // While the instance leaves, an answer also ends its connection: a balancer sends nothing more on it, and the process can end.
  fastify.decorate('isLeaving', false);
  fastify.addHook('preClose', (done) => {
    fastify.isLeaving = true;
    done();
  });
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    if (fastify.isLeaving) void reply.header('connection', 'close');
    done(null, payload);
  });

  fastify.addHook('onResponse', (request, reply, done) => {
    clearTimeout(overtime.get(request));
    endRequestSpan(request, reply);
    const { traceId, problemCode } = requestContext(request);
    // The route's pattern, never the address: ids are in the answer's own lines, and a query may hold anything.
    const line = { msg: 'request', method: request.method, route: request.routeOptions.url ?? null, status: reply.statusCode, durationMs: Math.round(reply.elapsedTime), traceId };
    const level = /^\/(health\/|metrics$)/.test(request.url) ? 'debug' : 'log';
    logger[level](problemCode === undefined ? line : { ...line, code: problemCode });
    done();
  });

  fastify.addHook('onRequestAbort', (request, done) => {
    clearTimeout(overtime.get(request));
    endRequestSpan(request);
    done();
  });
}

/** Answers are data for programs: no browser may keep, frame or run them. (HSTS is the matter of whoever terminates TLS.) */
const DATA_HEADERS = {
  'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY', 'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};
/** Swagger UI brings its own scripts and styles, and asks the API. */
const DOCS_POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

function securityHeaders({ url, routeOptions }: FastifyRequest): Record<string, string> {
  if (routeOptions.url?.startsWith('/docs') === true) return { ...DATA_HEADERS, 'content-security-policy': DOCS_POLICY };
  return url.startsWith('/v1/') ? { ...DATA_HEADERS, 'cache-control': 'no-store' } : DATA_HEADERS;
}

/** What is refused from the head of the request alone. */
function refusalOf(request: FastifyRequest): Problem | undefined {
  try {
    refuseForeignEncoding(request);
    refuseCardData({ path: pathOf(request.url), query: request.query, 'Idempotency-Key': request.headers['idempotency-key'], 'X-Idempotency-Key': request.headers['x-idempotency-key'] });
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

function pathOf(url: string): string {
  const path = url.split('?', 1)[0] ?? '';
  return containsCardNumber(path) ? path : decodedPath(path);
}

/** Fastify has refused what cannot be decoded. */
function decodedPath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The handler goes on; what it finds out is kept under the request's idempotency key. A body that is not there yet is the client's delay. */
function answerLate(request: FastifyRequest, reply: FastifyReply): void {
  if (!request.raw.complete) {
    sendProblem(request, reply, new Problem('request_timeout', 'The request came too slowly.'));
    return;
  }
  sendProblem(request, reply, new Problem('unavailable', 'The answer takes too long. Ask again, with the same Idempotency-Key if there was one.'));
}
