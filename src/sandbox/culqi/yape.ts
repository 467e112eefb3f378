import * as rule from './field-rules.js';
import { type Environment } from './key.js';
import { newObjectId } from './object-id.js';
import { type CardBehaviour } from './test-cards.js';
import { type Token } from './token.js';

/** A request for a Yape token whose fields all hold (culqi.md §1.5). The approval code lives no longer than the request. */
export interface YapeRequest {
  phone: string;
  amount: number;
  metadata: rule.JsonObject;
}

const RULES: Record<string, rule.FieldRule> = {
  number_phone: rule.pattern(/^9[0-9]{8}$/),
  otp: rule.pattern(/^[0-9]{6}$/),
  amount: rule.whole(1, 999_999_999),
  metadata: rule.optional(rule.metadata),
};

/** Of Yape phones only 900000001 is published; what the next ones do is our own choice. */
const BEHAVIOURS: Readonly<Record<string, CardBehaviour>> = {
  900000002: { kind: 'declines', declineCode: 'insufficient_funds' },
  900000003: { kind: 'declines', declineCode: 'contact_issuer' },
};

/** Reads a Yape token request, or names the first field at fault. */
export function readYapeRequest(body: rule.JsonObject): YapeRequest | { broken: string } {
  const broken = rule.brokenField(body, RULES);
  return broken === null ? { phone: String(body['number_phone']), amount: Number(body['amount']), metadata: (body['metadata'] ?? {}) as rule.JsonObject } : { broken };
}

/** A token-shaped object; its `type` is not published. */
export function newYapeToken({ phone, amount, metadata }: YapeRequest, environment: Environment, nowMs: number): { token: Token; behaviour: CardBehaviour; amount: number } {
  const token: Token = {
    object: 'token', id: newObjectId('ype', environment), type: 'yape', creation_date: nowMs, email: '', card_number: `${phone.slice(0, 3)}***${phone.slice(-3)}`, last_four: phone.slice(-4), active: true,
    iin: { object: 'iin', bin: null, card_brand: null, card_type: null, card_category: null, issuer: { name: null, country: null, country_code: null, website: null, phone_number: null }, installments_allowed: null },
    client: { ip: null, ip_country: null, ip_country_code: null, browser: null, device_fingerprint: null, device_type: null }, metadata,
  };
  return { token, behaviour: BEHAVIOURS[phone] ?? { kind: 'approves' }, amount };
}
