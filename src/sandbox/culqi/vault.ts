import * as rule from './field-rules.js';
import { type Environment } from './key.js';
import { newObjectId } from './object-id.js';
import { type Token } from './token.js';

/** A customer of a merchant's (culqi.md §1.8). */
export interface Customer {
  object: 'customer';
  id: string;
  creation_date: number;
  email: string;
  antifraud_details: rule.JsonObject;
  metadata: rule.JsonObject;
}

/** A saved card: the token it was made from is used up, and it can be charged again and again. */
export interface Card {
  object: 'card';
  id: string;
  active: boolean;
  creation_date: number;
  customer_id: string;
  source: Token;
  metadata: rule.JsonObject;
}

const CUSTOMER_RULES: Record<string, rule.FieldRule> = {
  first_name: rule.text(2, 50),
  last_name: rule.text(2, 50),
  email: rule.email,
  address: rule.text(5, 100),
  address_city: rule.text(2, 30),
  country_code: rule.pattern(/^[A-Z]{2}$/),
  phone_number: rule.text(5, 15),
  metadata: rule.optional(rule.metadata),
};

/** Reads a customer, or names the first field at fault. */
export function readCustomer(body: rule.JsonObject, environment: Environment, nowMs: number): Customer | { broken: string } {
  const broken = rule.brokenField(body, CUSTOMER_RULES);
  if (broken !== null) return { broken };
  const { first_name, last_name, address, address_city, country_code, phone_number } = body;
  return {
    object: 'customer', id: newObjectId('cus', environment), creation_date: nowMs, email: String(body['email']),
    antifraud_details: { country_code, first_name, last_name, address_city, address, phone: phone_number, object: 'client' }, metadata: (body['metadata'] ?? {}) as rule.JsonObject,
  };
}

const CARD_RULES: Record<string, rule.FieldRule> = {
  customer_id: rule.pattern(/^cus_(test|live)_[0-9A-Za-z]{16}$/),
  token_id: rule.pattern(/^tkn_(test|live)_[0-9A-Za-z]{16}$/),
  validate: rule.optional((value) => typeof value === 'boolean'),
  authentication_3DS: rule.optional(rule.isObject),
  metadata: rule.optional(rule.metadata),
};

/** Reads a request for a card, or names the first field at fault. */
export function readCardRequest(body: rule.JsonObject): { customerId: string; tokenId: string; isAuthenticated: boolean; metadata: rule.JsonObject } | { broken: string } {
  const broken = rule.brokenField(body, CARD_RULES);
  if (broken !== null) return { broken };
  return { customerId: String(body['customer_id']), tokenId: String(body['token_id']), isAuthenticated: body['authentication_3DS'] != null, metadata: (body['metadata'] ?? {}) as rule.JsonObject };
}

export function newCard(customerId: string, source: Token, metadata: rule.JsonObject, environment: Environment, nowMs: number): Card {
  return { object: 'card', id: newObjectId('crd', environment), active: true, creation_date: nowMs, customer_id: customerId, source, metadata };
}
