import { GatewayError } from '../contract/gateway-error.js';
import type { MercadopagoAnswer } from './mercadopago.client.js';
import { orderErrorSchema } from './mercadopago.orders-types.js';
import { errorSchema, type MercadopagoError } from './mercadopago.types.js';

/**
 * Codes after which nobody knows: the same request was seen a moment ago, it still runs, or what stands behind did not answer (psp/mercadopago.md §15); and
 * 2032 of a refund, which older pages call a key that was used already (§3).
 */
const UNKNOWN_CODES: ReadonlySet<string> = new Set(['2001', '801', '401001', '2004', '2007', '2032']);
/** Refusals of a refund's amount, though they come as 401 (§3). */
const AMOUNT_CODES: ReadonlySet<string> = new Set(['4040', '4041']);

/** Fields of our API by MercadoPago's codes (§2.8). */
const FIELDS: Readonly<Record<string, string>> = {
  2006: 'paymentMethod.tokens.mercadopago', 2062: 'paymentMethod.tokens.mercadopago', 3003: 'paymentMethod.tokens.mercadopago', 3008: 'paymentMethod.tokens.mercadopago', 2067: 'customer.document.number',
  2059: 'paymentMethod.options.mercadopago.applicationFee', 4038: 'paymentMethod.options.mercadopago.applicationFee', 4039: 'paymentMethod.options.mercadopago.applicationFee', 2072: 'amount', 4037: 'amount', 4040: 'amount', 4041: 'amount', 4050: 'customer.email', 4051: 'customer.email', 2131: 'paymentMethod.options.mercadopago.paymentMethodId', 3011: 'paymentMethod.options.mercadopago.paymentMethodId',
};

/** What the merchant can make of a refusal (§§2.8, 3). */
const TOO_OLD = 'the payment is too old to be refunded (90 days in Peru, 180 days elsewhere)';
const REASONS: Readonly<Record<string, string>> = {
  2024: TOO_OLD, 15016: TOO_OLD, 3024: 'only all of this payment can be refunded', 2059: 'only accounts that a marketplace was authorised for can pay a fee to it', 2063: 'the payment is in a state that does not allow it',
};

/** What an answer that brings no payment means. Only MercadoPago's own refusal, in its own form, shows that nothing was booked. */
export function troubleOf({ status, headers, body }: MercadopagoAnswer): GatewayError {
  const error = errorSchema.safeParse(body).data;
  const codes = codesIn(error);
  const [code] = codes;
  const field = code === undefined ? undefined : FIELDS[code];
  const reason = code === undefined ? undefined : REASONS[code];
  const details = { httpStatus: status, ...(code === undefined ? {} : { pspCode: code.slice(0, 80) }), ...(field === undefined ? {} : { field }), ...(reason === undefined ? {} : { reason }) };
  const isUnknown = codes.some((each) => UNKNOWN_CODES.has(each));
  const isOfAmount = status === 401 && codes.some((each) => AMOUNT_CODES.has(each));
  const refusal = isUnknown || isOfAmount ? null : refusalOf(status, headers, details);
  if (refusal !== null) return refusal;
  if (([400, 404, 422].includes(status) || isOfAmount) && error !== undefined && !isUnknown) return new GatewayError('request_rejected', 'MercadoPago refused the request', details);
  return new GatewayError('outcome_unknown', `MercadoPago answered ${status} in a form that shows no outcome`, details);
}

/** Conflicts in which an order stays as it was; after all others nobody knows (psp/mercadopago.md §5.2). */
const ORDER_REFUSALS: ReadonlySet<string> = new Set(['cannot_cancel_order', 'order_already_canceled', 'cannot_refund_order', 'order_already_refunded']);
/** What is refused as 403 for its amount, not for who asks (§5.2). */
const TIPS = 'partial_refund_forbidden_with_tips';

/** Fields of our API by what an order's error names. */
const ORDER_FIELDS: readonly (readonly [RegExp, string])[] = [
  [/token/i, 'paymentMethod.tokens.mercadopago'], [/email/i, 'customer.email'], [/identification/i, 'customer.document.number'], [/marketplace/i, 'paymentMethod.options.mercadopago.applicationFee'], [/amount/i, 'amount'],
  [/payment_method/i, 'paymentMethod.options.mercadopago.paymentMethodId'],
];

/** What an answer of the Orders API that brings no order means. */
export function orderTroubleOf({ status, headers, body }: MercadopagoAnswer): GatewayError {
  const [first] = orderErrorSchema.safeParse(body).data?.errors ?? [];
  const said = [first?.code, first?.message, ...first?.details ?? []].join(' ');
  const field = ORDER_FIELDS.find(([name]) => name.test(said))?.[1];
  const details = {
    httpStatus: status, ...(first === undefined ? {} : { pspCode: first.code.slice(0, 80) }), ...(![400, 403].includes(status) || field === undefined ? {} : { field }), ...(first?.code === TIPS ? { reason: 'a payment with a tip can only be refunded whole' } : {}),
  };
  const isOfAmount = status === 403 && first?.code === TIPS;
  const refusal = isOfAmount ? null : refusalOf(status, headers, details);
  if (refusal !== null) return refusal;
  const isRefused = first !== undefined && ([400, 404, 422].includes(status) || isOfAmount || (status === 409 && ORDER_REFUSALS.has(first.code)));
  return isRefused ? new GatewayError('request_rejected', 'MercadoPago refused the request', details) : new GatewayError('outcome_unknown', `MercadoPago answered ${status} in a form that shows no outcome`, details);
}

/** Refusals that both APIs tell by the status alone. */
function refusalOf(status: number, headers: MercadopagoAnswer['headers'], details: { httpStatus: number; pspCode?: string }): GatewayError | null {
  if (status === 401 || status === 403) return new GatewayError('credentials_rejected', 'MercadoPago does not accept the access token', details);
  return status === 429 ? new GatewayError('rate_limited', 'MercadoPago takes no more requests for now', { ...details, ...retryAfter(headers) }) : null;
}

/** Whether MercadoPago itself says that it knows no such order. */
export function isOrderAbsence({ status, body }: MercadopagoAnswer): boolean {
  return status === 404 && orderErrorSchema.safeParse(body).data?.errors[0]?.code === 'order_not_found';
}

/** Whether MercadoPago itself says that it knows no such thing; not when something behind it did not answer. */
export function isAbsence({ status, body }: MercadopagoAnswer): boolean {
  const error = errorSchema.safeParse(body);
  return status === 404 && error.success && !codesIn(error.data).some((code) => UNKNOWN_CODES.has(code));
}

/** Whether it says so of the payment itself (2000), and not of something about it. */
export function isUnknownPayment(answer: MercadopagoAnswer): boolean {
  return isAbsence(answer) && codesIn(errorSchema.safeParse(answer.body).data)[0] === '2000';
}

/** Every code of an error, that of its first cause first. */
function codesIn(error: MercadopagoError | undefined): string[] {
  const codes = [...(error?.cause ?? []).map(({ code }) => code), error?.code];
  return codes.flatMap((code) => (code == null ? [] : typeof code === 'string' ? code : code.text));
}

function retryAfter(headers: MercadopagoAnswer['headers']): { retryAfterMs?: number } {
  const seconds = headers['retry-after'] ?? '';
  return /^[0-9]{1,5}$/.test(seconds) ? { retryAfterMs: Number(seconds) * 1_000 } : {};
}
