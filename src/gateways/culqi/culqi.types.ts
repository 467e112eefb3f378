import { z } from 'zod';

/**
 * Culqi's answers, as far as we read them. Everything is untrusted: what is not needed is optional, and what has another type than expected makes the
 * answer one that we do not understand. Shapes: psp/culqi.md §§1.6, 1.11, 1.13.
 */
const centimos = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const text = z.string().max(2_000);

const source = z.object({
  card_number: text.nullish(),
  last_four: text.nullish(),
  iin: z.object({
    bin: text.nullish(),
    card_brand: text.nullish(),
    card_type: text.nullish(),
    issuer: z.object({ country_code: text.nullish() }).nullish(),
  }).nullish(),
});

const outcome = z.object({
  type: text.nullish(),
  code: text.nullish(),
  decline_code: text.nullish(),
  merchant_message: text.nullish(),
});

export const chargeSchema = z.object({
  object: z.literal('charge'),
  id: z.string().regex(/^chr_(test|live)_[0-9A-Za-z]{1,40}$/),
  creation_date: z.number().optional(),
  amount: centimos,
  amount_refunded: centimos.nullish(),
  currency_code: text,
  outcome: outcome.nullish(),
  capture: z.boolean().nullish(),
  source: source.nullish().catch(null),
  fraud_score: z.number().nullish().catch(null),
  dispute: z.boolean().nullish().catch(null),
  authorization_code: z.string().max(64).nullish().catch(null),
  metadata: z.record(z.string(), z.unknown()).nullish().catch(null),
  total_fee: centimos.nullish().catch(null),
  total_fee_taxes: centimos.nullish().catch(null),
  transfer_amount: centimos.nullish().catch(null),
  fee_details: z.object({
    fixed_fee: z.object({ total: centimos.nullish() }).nullish(),
    variable_fee: z.object({ total: centimos.nullish() }).nullish(),
  }).nullish().catch(null),
});
export type CulqiCharge = z.infer<typeof chargeSchema>;

export const customerSchema = z.object({ object: z.literal('customer'), id: z.string().regex(/^cus_(test|live)_[0-9A-Za-z]{1,40}$/), email: text });
const cardId = z.string().regex(/^crd_(test|live)_[0-9A-Za-z]{1,40}$/);
export const customerWithCardsSchema = z.object({ object: z.literal('customer'), cards: z.array(z.object({ id: cardId })).nullish() });
export const customerPageSchema = z.object({ data: z.array(customerSchema), paging: z.object({ next: z.string().nullish(), cursors: z.object({ after: z.string().nullish() }).nullish() }) });
export const cardSchema = z.object({ object: z.literal('card'), id: cardId, source: source.nullish().catch(null) });

export const refundSchema = z.object({
  object: z.literal('refund'),
  id: z.string().regex(/^ref_(test|live)_[0-9A-Za-z]{1,40}$/),
  charge_id: text,
  amount: centimos,
});
export type CulqiRefund = z.infer<typeof refundSchema>;

/** A page of refunds, each of which must be readable. */
export const refundPageSchema = z.object({ data: z.array(refundSchema), paging: z.object({ next: z.string().nullish(), cursors: z.object({ after: z.string().nullish() }).nullish() }) });

/** A webhook: `data` is JSON in a string, or an object (psp/culqi.md §1.12). Charges and refunds are in camelCase there. */
export const webhookSchema = z.object({ object: z.literal('event'), id: z.string().regex(/^[\x21-\x7e]{1,80}$/), type: z.string().regex(/^[a-z0-9_.]{1,80}$/), data: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish() });
export const webhookObjectSchema = z.object({ id: text.nullish(), chargeId: text.nullish(), metadata: z.record(z.string(), z.unknown()).nullish().catch(null) });

/** 200 instead of 201: no charge, and no id. */
export const reviewSchema = z.object({ action_code: z.literal('REVIEW') });

export const errorSchema = z.object({
  object: z.literal('error'),
  type: text.nullish(),
  code: text.nullish(),
  decline_code: text.nullish(),
  charge_id: text.nullish(),
  merchant_message: text.nullish(),
  param: text.nullish(),
});
export type CulqiError = z.infer<typeof errorSchema>;

const chargeEntry = z.looseObject({ id: z.string(), dispute: z.unknown(), metadata: z.record(z.string(), z.unknown()).nullish() });
export type ChargeEntry = z.infer<typeof chargeEntry>;

/** A page of charges. One that we cannot read is no proof of anything, so nothing in it is optional. */
export const chargePageSchema = z.object({
  data: z.array(chargeEntry),
  paging: z.object({ next: z.string().nullish(), cursors: z.object({ after: z.string().nullish() }).nullish() }),
});
