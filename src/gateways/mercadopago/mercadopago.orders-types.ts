import { z } from 'zod';
import { JsonNumber } from '../contract/exact-json.js';

/**
 * MercadoPago's orders, as far as we read them; untrusted, like everything. Amounts are decimal texts. Shapes: psp/mercadopago.md §§5.1 to 5.3, and the
 * types of the SDK for what a challenge and a voucher bring (`transaction_security.url`, `ticket_url`).
 */
const text = z.string().max(2_000);
const optionalText = text.nullish().catch(null);
/** Documented as a text; a number is taken as it stands. */
const decimal = z.union([text, z.instanceof(JsonNumber)]).transform((value) => (typeof value === 'string' ? value : value.text)).nullish().catch(null);

export const ORDER_ID = /^ORD[0-9A-Za-z]{1,60}$/;
const transactionId = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/);

const orderPayment = z.object({
  id: transactionId,
  status: optionalText,
  status_detail: optionalText,
  refunded_amount: decimal,
  date_of_expiration: optionalText,
  payment_method: z.object({
    id: optionalText, type: optionalText, ticket_url: optionalText, reference: optionalText, transaction_security: z.object({ url: optionalText }).nullish().catch(null),
  }).nullish().catch(null),
});

const orderRefund = z.object({ id: transactionId, amount: decimal, status: z.string().min(1).max(80) });
export type OrderRefund = z.infer<typeof orderRefund>;

export const orderSchema = z.object({
  id: z.string().regex(ORDER_ID),
  status: z.string().min(1).max(80),
  status_detail: optionalText,
  currency: optionalText,
  country_code: optionalText,
  external_reference: text.nullish(),
  total_amount: decimal,
  created_date: optionalText,
  last_updated_date: optionalText,
  transactions: z.object({ payments: z.array(orderPayment).nullish(), refunds: z.array(orderRefund).nullish() }).nullish(),
});
export type MercadopagoOrder = z.infer<typeof orderSchema>;

/** 402: the order was made, and its payment was not (§5.2). */
export const failedOrderSchema = z.object({ data: orderSchema });

/** A page of the search; the count may be a text. One that we cannot read is no proof of anything. */
export const orderSearchSchema = z.object({
  data: z.array(orderSchema),
  paging: z.object({ total: z.union([z.string().regex(/^[0-9]{1,9}$/), z.instanceof(JsonNumber)]).transform((total) => Number(typeof total === 'string' ? total : total.text)) }),
});

export const orderErrorSchema = z.object({ errors: z.array(z.object({ code: text, message: optionalText, details: z.array(text).nullish().catch(null) })).min(1) });
