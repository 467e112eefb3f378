import * as rule from './field-rules.js';
import { type Environment } from './key.js';
import { newObjectId } from './object-id.js';

/** A refund as Culqi answers it (culqi.md §1.7): `reason` is a text, not the word that was sent. */
export interface Refund {
  object: 'refund';
  id: string;
  charge_id: string;
  creation_date: number;
  amount: number;
  reason: string;
  metadata: rule.JsonObject;
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['duplicado', 'Duplicado'], ['fraudulento', 'Fraudulento'], ['solicitud_comprador', 'Devolución solicitada por el comercio'],
]);

const RULES: Record<string, rule.FieldRule> = {
  amount: rule.whole(1, 999_999_999),
  charge_id: rule.pattern(/^chr_(test|live)_[0-9A-Za-z]{16}$/),
  reason: (value) => typeof value === 'string' && REASONS.has(value),
};

export interface RefundRequest {
  amount: number;
  chargeId: string;
  reason: string;
}

/** Reads a refund request, or names the first field at fault. All three are required. */
export function readRefundRequest(body: rule.JsonObject): RefundRequest | { broken: string } {
  const broken = rule.brokenField(body, RULES);
  return broken === null ? { amount: Number(body['amount']), chargeId: String(body['charge_id']), reason: String(body['reason']) } : { broken };
}

export function newRefund({ amount, chargeId, reason }: RefundRequest, environment: Environment, nowMs: number): Refund {
  return { object: 'refund', id: newObjectId('ref', environment), charge_id: chargeId, creation_date: nowMs, amount, reason: REASONS.get(reason) ?? reason, metadata: {} };
}
