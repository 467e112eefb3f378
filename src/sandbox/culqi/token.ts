import { type CardBrand, brandOf, maskOf } from './card-number.js';
import * as rule from './field-rules.js';
import { type Environment } from './key.js';
import { newObjectId } from './object-id.js';
import { type CardBehaviour, behaviourOf } from './test-cards.js';

/** A token of a card, or of a Yape approval, as Culqi answers it (culqi.md §1.4). */
export interface Token {
  object: 'token';
  id: string;
  type: 'card' | 'yape';
  creation_date: number;
  email: string;
  card_number: string;
  last_four: string;
  active: boolean;
  iin: {
    object: 'iin'; bin: string | null; card_brand: CardBrand | null; card_type: string | null; card_category: string | null;
    issuer: Record<'name' | 'country' | 'country_code' | 'website' | 'phone_number', string | null>;
    installments_allowed: number[] | null;
  };
  client: Record<'ip' | 'ip_country' | 'ip_country_code' | 'browser' | 'device_fingerprint' | 'device_type', string | null>;
  metadata: rule.JsonObject;
}

/** A request for a token whose fields all hold. The number and the CVV live no longer than the request. */
export interface TokenRequest {
  number: string;
  brand: CardBrand;
  email: string;
  metadata: rule.JsonObject;
}

const RULES: Record<string, rule.FieldRule> = {
  card_number: (value) => rule.digits(13, 19)(value) && brandOf(String(value)) !== null,
  cvv: rule.digits(3, 4),
  expiration_month: rule.whole(1, 12),
  expiration_year: rule.whole(1000, 9999),
  email: rule.email,
  metadata: rule.optional(rule.metadata),
};

/** Reads a token request, or names the first field at fault. A card is good to the end of its month (UTC). */
export function readTokenRequest(body: rule.JsonObject, nowMs: number): TokenRequest | { broken: string } {
  const broken = rule.brokenField(body, RULES);
  if (broken !== null) return { broken };
  const endOfMonthMs = Date.UTC(Number(body['expiration_year']), Number(body['expiration_month']));
  if (endOfMonthMs <= nowMs) return { broken: 'expiration_year' };
  const number = String(body['card_number']);
  const brand = brandOf(number);
  if (brand === null) return { broken: 'card_number' };
  return { number, brand, email: String(body['email']), metadata: (body['metadata'] ?? {}) as rule.JsonObject };
}

/** Makes the token, and what its card will do, the only things kept of the number. */
export function newToken(request: TokenRequest, environment: Environment, nowMs: number): { token: Token; behaviour: CardBehaviour } {
  const token: Token = {
    object: 'token', id: newObjectId('tkn', environment), type: 'card', creation_date: nowMs, email: request.email,
    card_number: maskOf(request.number), last_four: request.number.slice(-4), active: true,
    iin: {
      object: 'iin', bin: request.number.slice(0, 6), card_brand: request.brand, card_type: 'credito', card_category: 'Clásica',
      issuer: { name: 'BANCO DE PRUEBA', country: 'PERU', country_code: 'PE', website: null, phone_number: null },
      installments_allowed: [2, 3, 6, 12],
    },
    client: { ip: '192.0.2.10', ip_country: 'Peru', ip_country_code: 'PE', browser: 'UNKNOWN', device_fingerprint: null, device_type: 'Escritorio' },
    metadata: request.metadata,
  };
  return { token, behaviour: behaviourOf(request.number, environment) };
}
