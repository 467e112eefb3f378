/** How loudly a problem is logged. */
export type ProblemLogLevel = 'info' | 'warn' | 'error';

type ProblemClass = { status: number; title: string; logLevel: ProblemLogLevel };

const info = (status: number, title: string): ProblemClass => ({ status, title, logLevel: 'info' });

/** Every problem of the HTTP contract (design/api.md, "Conventions"): its code, and what that code always means. */
export const PROBLEMS = {
  validation_failed: info(400, 'The request is not valid'),
  malformed_json: info(400, 'The body is not JSON'),
  duplicate_property: info(400, 'A property stands twice in the body'),
  json_too_deep: info(400, 'The body is nested too deeply'),
  invalid_cursor: info(400, 'The cursor is not one of ours'),
  idempotency_key_required: info(400, 'An Idempotency-Key is required'),
  idempotency_key_invalid: info(400, 'The Idempotency-Key is not valid'),
  card_data_not_accepted: { status: 400, title: 'Card data is not accepted', logLevel: 'warn' },
  malformed_request: info(400, 'The request is not HTTP as we understand it'),
  unauthorized: info(401, 'A valid key is required'),
  forbidden: info(403, 'The key may not do this'),
  approval_required: info(403, 'A second person must approve this'),
  not_found: info(404, 'There is no such resource'),
  route_not_found: info(404, 'There is no such route'),
  method_not_allowed: info(405, 'The route does not take this method'),
  request_timeout: info(408, 'The request came too slowly'),
  invalid_state: info(409, 'The resource is in another state'),
  operation_in_progress: info(409, 'Another operation is in progress'),
  idempotency_key_in_use: info(409, 'A request with this key is running'),
  duplicate_reference: info(409, 'The reference is taken'),
  insufficient_credits: info(409, 'There are not enough credits'),
  credits_already_spent: info(409, 'The credits are already spent'),
  body_too_large: info(413, 'The body is too large'),
  unsupported_media_type: info(415, 'The media type is not supported'),
  headers_too_large: info(431, 'The headers are too large'),
  idempotency_key_reused: info(422, 'The key was used for another request'),
  invalid_amount: info(422, 'The amount is outside the limits'),
  currency_not_supported: info(422, 'The currency is not supported'),
  no_eligible_gateway: info(422, 'No gateway can take the payment'),
  gateway_not_configured: info(422, 'The gateway is not configured'),
  payment_method_declined: info(422, 'The payment method was declined'),
  capability_missing: info(422, 'The gateway cannot do this'),
  refund_exceeds_captured: info(422, 'The refund exceeds what was captured'),
  capture_exceeds_authorized: info(422, 'The capture exceeds what was authorised'),
  external_id_reused: info(422, 'The external id was used for another request'),
  rate_limited: info(429, 'Too many requests'),
  internal: { status: 500, title: 'Something went wrong on our side', logLevel: 'error' },
  unavailable: { status: 503, title: 'The service is unavailable for the moment', logLevel: 'warn' },
  gateway_unavailable: { status: 503, title: 'The gateway does not answer', logLevel: 'warn' },
} as const satisfies Record<string, ProblemClass>;

export type ProblemCode = keyof typeof PROBLEMS;

/** An input at fault, by its path in the request. The message never holds the value. */
export type FieldError = { field: string; message: string };

export type ProblemDetails = { errors?: FieldError[]; retryAfterSeconds?: number; /** More members of the answer. */ extra?: Record<string, string>; cause?: unknown };

/** An error that a client is told about, as RFC 9457 says. Neither detail nor errors carry secrets, card data or a PSP's body. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly errors: FieldError[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly extra: Record<string, string>;

  constructor(readonly code: ProblemCode, readonly detail: string, details: ProblemDetails = {}) {
    super(`${code}: ${detail}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.status = PROBLEMS[code].status;
    this.errors = details.errors;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.extra = details.extra ?? {};
  }
}

/** The body of a problem answer. `type` names the class of problem and nothing to visit: a URN stays true wherever the service runs. */
export function toProblemBody(problem: Problem, { instance, traceId }: { instance: string; traceId: string }): Record<string, unknown> {
  const { code, status, detail, errors, extra } = problem;
  return { type: `urn:smartpay:problem:${code}`, title: PROBLEMS[code].title, status, detail, instance, code, traceId, ...(errors === undefined ? {} : { errors }), ...extra };
}
