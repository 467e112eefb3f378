import { GatewayError } from '../contract/gateway-error.js';
import type { PixelpayAnswer } from './pixelpay.client.js';
import { lookUp, PAYMENT_STATES, RESPONSE_CODES } from './pixelpay.mapping.js';
import { failureSchema, type PixelpayFailure } from './pixelpay.types.js';

/** PixelPay asks for a minute's rest (psp/pixelpay.md §2.1, "wait 1 minute"). */
const RATE_LIMIT_MS = 60_000;

/** PixelPay's own refusal in this answer. Undefined when it is in another form, or when its word belongs to another HTTP status: then it shows nothing. */
export function failureIn(answer: PixelpayAnswer): PixelpayFailure | undefined {
  return isContradictory(answer) ? undefined : failureSchema.safeParse(answer.body).data;
}

/** What an answer that brings no payment means. Only a documented refusal shows that nothing was booked; a 402 or 422 in another form does not. */
export function troubleOf(answer: PixelpayAnswer): GatewayError {
  const { status } = answer;
  const failure = failureIn(answer);
  const meaning = lookUp(RESPONSE_CODES, failure?.status);
  const details = { httpStatus: status, ...(failure === undefined ? {} : { pspCode: failure.status }) };
  // A 401 or 429 in another form comes from what stands before PixelPay, which then has not seen the request.
  const sure = !isContradictory(answer);
  if (status === 401 && sure) return new GatewayError('credentials_rejected', 'PixelPay does not accept the API key', details);
  if (status === 429 && sure) return new GatewayError('rate_limited', 'PixelPay takes no more requests for now', { ...details, retryAfterMs: RATE_LIMIT_MS });
  if (status === 422 && failure !== undefined) {
    return new GatewayError('request_rejected', 'PixelPay refused the request', { ...details, ...(meaning?.kind === 'request_rejected' ? { field: meaning.field } : {}) });
  }
  return new GatewayError('outcome_unknown', `PixelPay answered ${status} in a form that shows no outcome`, details);
}

/** Whether the word in the body belongs to another HTTP status than the one it came with: a refusal that says `completed`, say. */
function isContradictory({ status, body }: PixelpayAnswer): boolean {
  const word = failureSchema.safeParse(body).data?.status;
  const meaning = lookUp(RESPONSE_CODES, word);
  return (meaning !== undefined && meaning.httpStatus !== status) || (lookUp(PAYMENT_STATES, word) === 'captured' && status !== 200);
}
