import { z } from 'zod';
import { JsonNumber } from '../contract/exact-json.js';

/**
 * PixelPay's answers, as far as we read them. Everything is untrusted: what is not needed is optional, and what has another type than expected makes
 * the answer one that we do not understand. Numbers are texts here ({@link JsonNumber}). Shapes: psp/pixelpay.md §§2.1, 2.4.
 */
const text = z.string().max(2_000);
const jsonNumber = z.instanceof(JsonNumber);
/** Minor units: an integer that JSON carries exactly, without exponent or decimal point. */
const minor = jsonNumber.refine((amount) => /^(0|[1-9][0-9]{0,15})$/.test(amount.text) && Number.isSafeInteger(Number(amount.text)), 'no amount of minor units');
/** Amounts in major units and scores: what is none is left out later, it does not spoil the answer. */
const decimal = jsonNumber.nullish().catch(null);

/** `txn_…`, as it may stand in an address. */
export const transactionId = z.string().regex(/^txn_[0-9A-Za-z_-]{1,76}$/);
/** Our own ids, which PixelPay keeps as `order_id` and `refund_id`. */
export const ourId = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/);

const shared = {
  status: z.string().min(1).max(80),
  txn_id: transactionId,
  auth_code: z.string().max(64).nullish().catch(null),
  commission: decimal,
  net_amount: decimal,
  currency: text.nullish().catch(null),
  fraud_score: decimal,
  timestamp: text.nullish().catch(null),
};

/** The answer to POST /v2/payments: it shows neither amount nor order. */
export const acceptanceSchema = z.object({ ...shared, order_id: text.nullish() });
export type PixelpayAcceptance = z.infer<typeof acceptanceSchema>;

/** A payment as a look-up shows it. */
export const paymentSchema = z.object({
  ...shared,
  order_id: text.nullish(),
  amount: minor,
  currency: text,
  refunded_amount: minor.nullish(),
  // Not in the documented shape; read where it is there, since `failed` alone gives no reason.
  error_code: text.nullish().catch(null),
  error_message: text.nullish().catch(null),
});
export type PixelpayPayment = z.infer<typeof paymentSchema>;

/** `amount` is shown by look-ups only. */
export const refundSchema = z.object({ status: z.string().min(1).max(80), refund_id: ourId, txn_id: transactionId, amount: minor.nullish() });
export type PixelpayRefund = z.infer<typeof refundSchema>;

/** A refusal in PixelPay's own form. The names of the other two fields are inferred (psp/pixelpay.md §2.1), so only `status` is relied on. */
export const failureSchema = z.object({
  status: z.string().min(1).max(80),
  error_code: text.nullish().catch(null),
  error_message: text.nullish().catch(null),
});
export type PixelpayFailure = z.infer<typeof failureSchema>;

/** What a webhook says that we use: the rest is asked. */
export const webhookSchema = z.object({
  event: z.string().regex(/^[a-z0-9_.]{1,64}$/),
  // An event of another kind may speak of no payment.
  txn_id: transactionId.nullish(),
  refund_id: ourId.nullish(),
  order_id: ourId.nullish(),
});
