import * as rule from './field-rules.js';
import { type Limits } from './settings.js';

export interface ChargeRequest {
  amount: number;
  currency: 'PEN' | 'USD';
  email: string;
  sourceId: string;
  /** Captured at once; false authorises only. */
  capture: boolean;
  description: string | null;
  installments: number;
  metadata: rule.JsonObject;
  antifraud: rule.JsonObject;
  isAuthenticated: boolean;
}

/** The rules of culqi.md §1.6; the amount is checked against the limits afterwards, when the currency is known. */
const RULES: Record<string, rule.FieldRule> = {
  amount: rule.whole(1, 999_999_999),
  currency_code: rule.pattern(/^(PEN|USD)$/),
  email: rule.email,
  source_id: rule.pattern(/^(tkn|ype|crd)_(test|live)_[0-9A-Za-z]{16}$/),
  capture: rule.optional((value) => typeof value === 'boolean'),
  description: rule.optional(rule.text(5, 80)),
  // 0 and 2–48 are documented, 1 is not.
  installments: rule.optional((value) => rule.wholeOf(value) === 0 || rule.whole(2, 48)(value)),
  metadata: rule.optional(rule.metadata),
  antifraud_details: rule.optional(rule.isObject),
  authentication_3DS: rule.optional(rule.isObject),
};

const ANTIFRAUD_RULES: Record<string, rule.FieldRule> = {
  first_name: rule.optional(rule.text(2, 50)),
  last_name: rule.optional(rule.text(2, 50)),
  address: rule.optional(rule.text(5, 100)),
  address_city: rule.optional(rule.text(2, 30)),
  country_code: rule.optional(rule.pattern(/^[A-Z]{2}$/)),
  phone_number: rule.optional(rule.text(5, 15)),
  device_finger_print_id: rule.optional(rule.pattern(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)),
};

/** The exact casing matters: a field in other letters is a missing field. */
const AUTHENTICATION_RULES: Record<string, rule.FieldRule> = {
  eci: rule.text(1, 10),
  xid: rule.text(1, 200),
  cavv: rule.text(1, 200),
  protocolVersion: rule.text(1, 10),
  directoryServerTransactionId: rule.text(1, 200),
};

/** Reads a charge request, or names the first field at fault. */
export function readChargeRequest(body: rule.JsonObject, limits: Limits): ChargeRequest | { broken: string } {
  const antifraud = (body['antifraud_details'] ?? {}) as rule.JsonObject;
  const authentication = body['authentication_3DS'] as rule.JsonObject | null | undefined;
  const isAuthenticated = authentication !== undefined && authentication !== null;
  const broken = rule.brokenField(body, RULES)
    ?? rule.brokenField(antifraud, ANTIFRAUD_RULES)
    ?? (isAuthenticated ? rule.brokenField(authentication, AUTHENTICATION_RULES) : null);
  if (broken !== null) return { broken };
  const amount = Number(body['amount']);
  const currency = body['currency_code'] as ChargeRequest['currency'];
  if (amount < limits[currency].min || amount > limits[currency].max) return { broken: 'amount' };
  return {
    amount, currency, antifraud, isAuthenticated,
    email: String(body['email']),
    sourceId: String(body['source_id']),
    capture: body['capture'] !== false,
    description: (body['description'] ?? null) as string | null,
    installments: Math.max(1, Number(body['installments'] ?? 0)),
    metadata: (body['metadata'] ?? {}) as rule.JsonObject,
  };
}
