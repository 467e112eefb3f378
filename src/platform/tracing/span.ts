import { context, SpanStatusCode, trace, type Attributes, type Span, type SpanKind } from '@opentelemetry/api';

/** Without OTEL_EXPORTER_OTLP_ENDPOINT the API's own tracer, which does nothing. */
export const tracer = () => trace.getTracer('smartpay');

/** Attributes hold names and numbers of ours: never an address, a body, a token, or what a client or a PSP wrote. */
export type SpanOutline = { name: string; kind?: SpanKind; attributes?: Attributes };

/** Runs `work` within a span that ends with it. Of what is thrown the span tells the kind, never the message. */
export async function inSpan<T>({ name, kind, attributes }: SpanOutline, work: () => Promise<T>): Promise<T> {
  const span = tracer().startSpan(name, { ...(kind === undefined ? {} : { kind }), ...(attributes === undefined ? {} : { attributes }) });
  if (!span.isRecording()) return work();
  try {
    return await context.with(trace.setSpan(context.active(), span), work);
  } catch (error) {
    failSpan(span, kindOf(error));
    throw error;
  } finally {
    span.end();
  }
}

/** Marks a span as trouble: its whole trace is kept, whatever share of others is. */
export function failSpan(span: Span, errorType: string): void {
  span.setAttribute('error.type', errorType).setStatus({ code: SpanStatusCode.ERROR });
}

/** Marks the span in hand, if there is one. */
export function failActiveSpan(errorType: string): void {
  const span = trace.getActiveSpan();
  if (span !== undefined) failSpan(span, errorType);
}

/** What we call an error: a PSP's trouble by its kind, a problem by its code, others by their class. */
function kindOf(error: unknown): string {
  const { kind, code, name } = (typeof error === 'object' && error !== null ? error : {}) as Record<'kind' | 'code' | 'name', unknown>;
  return [kind, code, name].find((word): word is string => typeof word === 'string' && /^[\w.]{1,60}$/.test(word)) ?? 'unknown';
}
