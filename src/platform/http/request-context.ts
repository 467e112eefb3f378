import type { IncomingMessage } from 'node:http';
import type { TimeWindow } from '../../shared/clock.js';
import type { ProblemCode } from '../../shared/problem.js';
import { traceIdOf } from './trace.js';

/** What the service remembers of a request while it answers it. */
export type RequestContext = {
  traceId: string;
  /** Open until REQUEST_DEADLINE_MS after the request came; absent before its headers are read. */
  window?: TimeWindow;
  /** How the request was refused, for its log line. */
  problemCode?: ProblemCode;
};

type Request = { raw: IncomingMessage };

const contexts = new WeakMap<IncomingMessage, RequestContext>();

/** The context of a request; begun on first use, since some are refused before any hook runs. */
export function requestContext(request: Request): RequestContext {
  const known = contexts.get(request.raw);
  if (known !== undefined) return known;
  const begun = { traceId: traceIdOf(request.raw.headers) };
  contexts.set(request.raw, begun);
  return begun;
}

/** The time in which the request must be done. @throws Error outside the API's hooks. */
export function requestWindow(request: Request): TimeWindow {
  const { window } = requestContext(request);
  if (window === undefined) throw new Error('the request has no window: it did not come through createApp');
  return window;
}
