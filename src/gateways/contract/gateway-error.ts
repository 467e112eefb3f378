/**
 * The kinds of trouble with a PSP. To money only one distinction matters, {@link GatewayError.moneyMayHaveMoved}:
 * - `request_rejected`: the PSP refused the request before booking (a field, a used-up token, a state). Surely nothing happened.
 * - `credentials_rejected`: the PSP does not accept the tenant's keys. Surely nothing happened.
 * - `rate_limited`: the PSP refused for now. Surely nothing happened.
 * - `not_contacted`: no byte of the request went out. Surely nothing happened.
 * - `payment_not_found`: the PSP knows no payment under the reference asked for: of a look-up no evidence by itself (architecture §5); of a refund nothing
 *   happened, and as we know of the payment, the PSP's own books may lag behind.
 * - `webhook_rejected`: a webhook was not proven to come from the PSP.
 * - `outcome_unknown`: bytes went out and no certain answer came back.
 */
export type GatewayErrorKind =
  | 'request_rejected'
  | 'credentials_rejected'
  | 'rate_limited'
  | 'not_contacted'
  | 'payment_not_found'
  | 'webhook_rejected'
  | 'outcome_unknown';

export type GatewayErrorDetails = {
  cause?: unknown;
  /** The PSP's own code, if it gave one. */
  pspCode?: string;
  /** The request field at fault, if the PSP names one. */
  field?: string;
  /** Why, in a few words for the merchant, where the code tells. */
  reason?: string;
  httpStatus?: number;
  /** How long the PSP asks to be left alone, in milliseconds. */
  retryAfterMs?: number;
};

/** Trouble with a PSP. The message never carries tokens, keys, card data or the PSP's body. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly pspCode: string | undefined;
  readonly field: string | undefined;
  readonly reason: string | undefined;
  readonly httpStatus: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(readonly kind: GatewayErrorKind, message: string, details: GatewayErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.pspCode = details.pspCode;
    this.field = details.field;
    this.reason = details.reason;
    this.httpStatus = details.httpStatus;
    this.retryAfterMs = details.retryAfterMs;
  }

  /** False only when it is sure that the call had no effect at the PSP. */
  get moneyMayHaveMoved(): boolean {
    return this.kind === 'outcome_unknown';
  }
}
