import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../../shared/problem.js';

const KEY = /^[\x21-\x7e]{1,255}$/;

/** The client's key from `Idempotency-Key`, or its alias `X-Idempotency-Key`. @throws Problem `idempotency_key_required`, `idempotency_key_invalid` */
export function idempotencyKeyOf(request: Pick<FastifyRequest, 'headers'>): string {
  const { 'idempotency-key': key, 'x-idempotency-key': alias } = request.headers;
  const given = [key, alias].filter((value) => value !== undefined);
  const [first, second] = given;
  if (first === undefined) throw new Problem('idempotency_key_required', 'Send an Idempotency-Key of your own: the same for every repeat of this request.');
  if (typeof first !== 'string' || !KEY.test(first)) throw new Problem('idempotency_key_invalid', 'An Idempotency-Key is 1 to 255 visible ASCII characters.');
  if (second !== undefined && second !== first) throw new Problem('idempotency_key_invalid', 'Idempotency-Key and X-Idempotency-Key differ.');
  return first;
}

/** The request's idempotency key. */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext): string => idempotencyKeyOf(context.switchToHttp().getRequest<FastifyRequest>()));

/** Documents that a route takes an idempotency key. */
export const NeedsIdempotencyKey = (): MethodDecorator => applyDecorators(ApiHeader({
  name: 'Idempotency-Key', required: true, description: 'The same for every repeat of this request; 1 to 255 visible ASCII characters.',
}));
