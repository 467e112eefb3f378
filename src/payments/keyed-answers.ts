import type { FastifyReply } from 'fastify';
import type { ProblemCode } from '../shared/problem.js';
import type { Answer } from './answer.js';

/** What every body can be refused for, and every key. */
export const BAD_BODY = [
  'validation_failed', 'malformed_json', 'duplicate_property', 'json_too_deep', 'card_data_not_accepted', 'idempotency_key_required', 'idempotency_key_invalid',
  'idempotency_key_in_use', 'body_too_large', 'unsupported_media_type', 'idempotency_key_reused',
] as const satisfies ProblemCode[];

/** The stored bytes as they are, so that every repeat gets the same. */
export function send(reply: FastifyReply, answer: Answer): Buffer {
  void reply.status(answer.statusCode).header('content-type', 'application/json; charset=utf-8');
  if (answer.replayed) void reply.header('idempotent-replayed', 'true');
  return answer.body;
}
