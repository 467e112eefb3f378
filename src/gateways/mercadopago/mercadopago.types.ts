import { z } from 'zod';
import { JsonNumber } from '../contract/exact-json.js';

/**
 * MercadoPago's answers, as far as we read them. Everything is untrusted: what is not needed is optional, and what has another type than expected makes
 * the answer one that we do not understand. Numbers are texts here ({@link JsonNumber}): ids have up to 64 bits, amounts are decimals. Shapes:
 * psp/mercadopago.md §§2.3, 2.8, 3, 7.2.
 */
const text = z.string().max(2_000);
const optionalText = text.nullish().catch(null);
const number = z.instanceof(JsonNumber);
/** Ids come as numbers, sometimes as texts. */
const id = z.union([number, z.string()]).transform((value) => (typeof value === 'string' ? value : value.text)).refine((value) => PAYMENT_ID.test(value), 'no id');
/** What is no decimal is left out later; it does not spoil the answer. */
const decimal = number.nullish().catch(null);

export const PAYMENT_ID = /^[0-9]{1,20}$/;

export const paymentSchema = z.object({
  id,
  status: z.string().min(1).max(80),
  status_detail: optionalText,
  currency_id: text,
  transaction_amount: number,
  transaction_amount_refunded: number.nullish(),
  external_reference: text.nullish(),
  date_created: optionalText,
  date_of_expiration: optionalText,
  payment_method_id: optionalText,
  payment_type_id: optionalText,
  authorization_code: z.string().max(64).nullish().catch(null),
  captured: z.boolean().nullish().catch(null),
  live_mode: z.boolean().nullish().catch(null),
  fee_details: z.array(z.object({ type: text, amount: number, fee_payer: optionalText })).nullish().catch(null),
  transaction_details: z.object({ net_received_amount: decimal, external_resource_url: optionalText, payment_method_reference_id: optionalText }).nullish().catch(null),
  card: z.object({ first_six_digits: optionalText, last_four_digits: optionalText }).nullish().catch(null),
  three_ds_info: z.object({ external_resource_url: optionalText, creq: optionalText }).nullish().catch(null),
});
export type MercadopagoPayment = z.infer<typeof paymentSchema>;

/** A page of the search. One that we cannot read is no proof of anything. */
export const searchSchema = z.object({ paging: z.object({ total: number }), results: z.array(paymentSchema) });

export const refundSchema = z.object({ id, payment_id: id, amount: number, status: z.string().min(1).max(80), date_created: optionalText });
export type MercadopagoRefund = z.infer<typeof refundSchema>;
export const refundListSchema = z.array(refundSchema);

export const customerSchema = z.object({ id: z.string().regex(/^[0-9A-Za-z_-]{1,64}$/), email: text });
export const customerSearchSchema = z.object({ results: z.array(customerSchema) });
/** A kept card; its id is a text or a number. */
export const cardSchema = z.object({
  id, customer_id: text, first_six_digits: optionalText, last_four_digits: optionalText, expiration_month: decimal, expiration_year: decimal,
  payment_method: z.object({ id: z.string().regex(/^[a-z0-9_]{1,30}$/), payment_type_id: optionalText }),
});
export type MercadopagoCard = z.infer<typeof cardSchema>;
export const cardIdsSchema = z.array(z.object({ id }));
export const cardTokenSchema = z.object({ id: z.string().regex(/^[\x21-\x7e]{1,255}$/) });

/** An error in MercadoPago's own form. Codes come as numbers or texts. Causes that cannot be read could be of those after which nobody knows: then it is no error that we understand. */
export const errorSchema = z.object({
  message: text.nullish(),
  error: optionalText,
  status: z.union([number, text]),
  code: z.union([number, text]).nullish(),
  cause: z.array(z.object({ code: z.union([number, text]).nullish(), description: optionalText })).nullish(),
});
export type MercadopagoError = z.infer<typeof errorSchema>;

/**
 * A webhook's body, which is not signed: its kind and its id are read, to tell two of them apart, and which payment a chargeback is of, as a hint. Its kind
 * may stand in the query alone; a body that says nothing of an event is none.
 */
export const webhookSchema = z.object({
  id: z.union([number, text]).nullish().catch(null), type: z.string().min(1).max(80).nullish(), action: optionalText, actions: z.unknown().optional(), data: z.object({ payment_id: id.nullish().catch(null) }).nullish().catch(null),
}).refine(({ id: eventId, type, action, actions, data }) => [eventId, type, action, actions, data].some((part) => part != null), 'no event');
