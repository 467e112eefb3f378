import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { containsCardNumber } from '../../shared/card-number.js';

const current = new AsyncLocalStorage<string>();

/** The trace id of the request or job in hand. */
export function currentTraceId(): string | undefined {
  return current.getStore();
}

/** Runs `work` and all that follows from it under a trace id. */
export function runWithTrace<T>(traceId: string, work: () => T): T {
  return current.run(traceId, work);
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;
const TRACE_ID = /^[0-9A-Za-z_-]{1,64}$/;

/** The trace id a request brings (W3C traceparent, else X-Trace-Id), or a new one: also when it brings a card number, since trace ids are logged and stored. */
export function traceIdOf(headers: Readonly<Record<string, string | string[] | undefined>>): string {
  const { traceparent, 'x-trace-id': given } = headers;
  const parent = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
  if (parent !== undefined && !/^0+$/.test(parent)) return parent;
  return typeof given === 'string' && TRACE_ID.test(given) && !containsCardNumber(given) ? given : randomBytes(16).toString('hex');
}
