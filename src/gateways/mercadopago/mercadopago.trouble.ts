import { JsonNumber } from '../contract/exact-json.js';
import { GatewayError } from '../contract/gateway-error.js';
import type { MercadopagoAnswer } from './mercadopago.client.js';
import { errorSchema } from './mercadopago.types.js';

/** Codes after which nobody knows: the same request was seen a moment ago, it still runs, or what stands behind did not answer (psp/mercadopago.md §15). */
const UNKNOWN_CODES: ReadonlySet<string> = new Set(['2001', '801', '401001', '2004', '2007']);

/** Fields of our API by MercadoPago's codes (§2.8). */
const FIELDS: Readonly<Record<string, string>> = {
  2006: 'paymentMethod.tokens.mercadopago', 2062: 'paymentMethod.tokens.mercadopago', 3003: 'paymentMethod.tokens.mercadopago', 3008: 'paymentMethod.tokens.mercadopago', 2067: 'customer.document.number',
  2072: 'amount', 4037: 'amount', 4050: 'customer.email', 4051: 'customer.email', 2131: 'paymentMethod.options.mercadopago.paymentMethodId', 3011: 'paymentMethod.options.mercadopago.paymentMethodId',
};

/** What an answer that brings no payment means. Only MercadoPago's own refusal, in its own form, shows that nothing was booked. */
export function troubleOf({ status, headers, body }: MercadopagoAnswer): GatewayError {
  const error = errorSchema.safeParse(body).data;
  const code = codeIn(error?.cause?.[0]?.code);
  const field = code === undefined ? undefined : FIELDS[code];
  const details = { httpStatus: status, ...(code === undefined ? {} : { pspCode: code.slice(0, 80) }), ...(field === undefined ? {} : { field }) };
  if (status === 401 || status === 403) return new GatewayError('credentials_rejected', 'MercadoPago does not accept the access token', details);
  if (status === 429) return new GatewayError('rate_limited', 'MercadoPago takes no more requests for now', { ...details, ...retryAfter(headers) });
  if ([400, 404, 422].includes(status) && error !== undefined && !(code !== undefined && UNKNOWN_CODES.has(code))) return new GatewayError('request_rejected', 'MercadoPago refused the request', details);
  return new GatewayError('outcome_unknown', `MercadoPago answered ${status} in a form that shows no outcome`, details);
}

/** Whether MercadoPago itself says that it knows no such thing. */
export function isAbsence({ status, body }: MercadopagoAnswer): boolean {
  return status === 404 && errorSchema.safeParse(body).success;
}

function codeIn(code: JsonNumber | string | null | undefined): string | undefined {
  return code == null ? undefined : typeof code === 'string' ? code : code.text;
}

function retryAfter(headers: MercadopagoAnswer['headers']): { retryAfterMs?: number } {
  const seconds = headers['retry-after'] ?? '';
  return /^[0-9]{1,5}$/.test(seconds) ? { retryAfterMs: Number(seconds) * 1_000 } : {};
}
