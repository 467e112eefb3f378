import { type Answer } from '../emulator/exchange.js';
import { parameterError } from './culqi-error.js';
import * as rule from './field-rules.js';
import { type Environment } from './key.js';
import { newObjectId } from './object-id.js';
import { pageOf } from './paging.js';

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

/** Answers GET /refunds from the refunds of a merchant, newest first. */
export function listRefunds(newestFirst: readonly Refund[], query: URLSearchParams): Answer {
  for (const name of ['creation_date', 'creation_date_from', 'creation_date_to']) if (query.has(name) && rule.wholeOf(query.get(name)) === null) return parameterError(name);
  const bound = (name: string, otherwise: number): number => Number(query.get(name) ?? otherwise);
  const isWanted = ({ creation_date: at, reason }: Refund): boolean => at >= bound('creation_date_from', 0) && at <= bound('creation_date_to', Infinity)
    && (!query.has('creation_date') || at === Number(query.get('creation_date'))) && (!query.has('reason') || reason === query.get('reason'));
  return pageOf(query, { name: 'refunds', newestFirst, isWanted, viewOf: (refund) => refund, countsRest: false });
}
