import { context, ROOT_CONTEXT, SpanKind, trace, TraceFlags, type Context, type Span } from '@opentelemetry/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { failSpan, tracer } from './span.js';

const spans = new WeakMap<FastifyRequest, Span>();

/** Begins the span of a request and runs what follows within it. */
export function beginRequestSpan(request: FastifyRequest, work: () => void): void {
  const { method, routeOptions: { url: route } } = request;
  const span = tracer().startSpan(`${method} ${route ?? 'unmatched'}`, {
    kind: SpanKind.SERVER, attributes: { 'http.request.method': method, ...(route === undefined ? {} : { 'http.route': route }) },
  }, parentOf(request.headers.traceparent));
  if (!span.isRecording()) {
    work();
    return;
  }
  spans.set(request, span);
  context.with(trace.setSpan(context.active(), span), work);
}

/** The answer is sent, or (without one) the client is gone. */
export function endRequestSpan(request: FastifyRequest, reply?: FastifyReply): void {
  const span = spans.get(request);
  if (span === undefined) return;
  spans.delete(request);
  if (reply === undefined) failSpan(span, 'client_gone');
  else span.setAttribute('http.response.status_code', reply.statusCode);
  if (reply !== undefined && reply.statusCode >= 500) failSpan(span, String(reply.statusCode));
  span.end();
}

/** W3C Trace Context: the span of whoever asked. */
function parentOf(traceparent: unknown): Context {
  const [, traceId = '', spanId = ''] = (typeof traceparent === 'string' && /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?$/.exec(traceparent)) || [];
  const known = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
  return trace.isSpanContextValid(known) ? trace.setSpanContext(ROOT_CONTEXT, known) : ROOT_CONTEXT;
}
