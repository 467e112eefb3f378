import type { FastifyReply, FastifyRequest } from 'fastify';
import { maskCardNumbers } from '../../shared/card-number.js';
import { toProblemBody, type Problem } from '../../shared/problem.js';
import { requestContext } from './request-context.js';

/** RFC 9457 §3. */
export const PROBLEM_TYPE = 'application/problem+json';

const INSTANCE_LENGTH_MAX = 300;

/** Answers a request with a problem, unless it was answered before. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): void {
  if (reply.sent) return;
  const context = requestContext(request);
  context.problemCode = problem.code;
  const body = toProblemBody(problem, { instance: instanceOf(request.url), traceId: context.traceId });
  // As bytes: to text Fastify would add a charset, which this media type does not have.
  void reply.status(problem.status).headers(headersOf(problem, reply)).header('content-type', PROBLEM_TYPE).header('x-trace-id', context.traceId).send(Buffer.from(JSON.stringify(body)));
}

function headersOf({ code, retryAfterSeconds }: Problem, reply: FastifyReply): Record<string, string> {
  const afterSeconds = retryAfterSeconds ?? (code === 'unavailable' ? 1 : undefined);
  return {
    ...(afterSeconds === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(afterSeconds))) }),
    // RFC 9110 §15.5.2 demands it.
    ...(code === 'unauthorized' && !reply.hasHeader('www-authenticate') ? { 'www-authenticate': 'Bearer' } : {}),
  };
}

/** The path that was asked for, without its query. */
function instanceOf(url: string): string {
  return maskCardNumbers(url.split('?', 1)[0] ?? '').slice(0, INSTANCE_LENGTH_MAX);
}
