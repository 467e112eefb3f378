import { isUnavailable } from '../database/database-errors.js';
import { Problem, type ProblemCode } from '../../shared/problem.js';

/** What an error of Nest, Fastify or a plugin means by its status. Their texts are not repeated: some quote the request. */
const BY_STATUS: Readonly<Record<number, readonly [ProblemCode, string]>> = {
  400: ['malformed_request', 'The request could not be read.'],
  401: ['unauthorized', 'A valid key is required.'],
  403: ['forbidden', 'The key may not do this.'],
  404: ['not_found', 'There is no such resource.'],
  405: ['method_not_allowed', 'The route does not take this method.'],
  408: ['request_timeout', 'The request came too slowly.'],
  413: ['body_too_large', 'A body is at most 256 KB.'],
  415: ['unsupported_media_type', 'Send application/json in UTF-8, without Content-Encoding.'],
  429: ['rate_limited', 'Too many requests.'],
  431: ['headers_too_large', 'The headers are too large.'],
  503: ['unavailable', 'The service is unavailable for the moment.'],
};

/** What the client is told about whatever was thrown: the thrown problem, the one its kind stands for, or `internal`, which says nothing. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  if (isUnavailable(thrown)) {
    return new Problem('unavailable', 'The service cannot reach its database for the moment. Try again.', { cause: thrown });
  }
  const [code, detail] = BY_STATUS[httpStatusOf(thrown) ?? 500] ?? ['internal', 'Something went wrong on our side. The trace id finds it in our logs.'];
  return new Problem(code, detail, { cause: thrown });
}

/** The status by which Nest (`getStatus`) or Fastify and its plugins (`statusCode` with a `code`) mark an error as an answer; other errors have none. */
function httpStatusOf(thrown: unknown): number | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  if ('getStatus' in thrown && typeof thrown.getStatus === 'function') return Number((thrown as { getStatus(): unknown }).getStatus());
  const { statusCode, code } = thrown as { statusCode?: unknown; code?: unknown };
  return typeof statusCode === 'number' && typeof code === 'string' && code.startsWith('FST_') ? statusCode : undefined;
}
