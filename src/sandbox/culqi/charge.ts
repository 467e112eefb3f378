import { type ChargeRequest } from './charge-request.js';
import { type JsonObject } from './field-rules.js';
import { type Environment } from './key.js';
import { newObjectId, randomText } from './object-id.js';
import { type Token } from './token.js';

/** A charge as Culqi answers it, its spelling included (culqi.md §1.6). */
export interface Charge {
  duplicated: boolean;
  object: 'charge';
  id: string;
  creation_date: number;
  amount: number;
  amount_refunded: number;
  current_amount: number;
  installments: number;
  installments_amount: number | null;
  currency_code: 'PEN' | 'USD';
  email: string;
  description: string | null;
  source: Token;
  outcome: JsonObject | null;
  fraud_score: number | null;
  antifraud_details: JsonObject;
  dispute: boolean;
  capture: boolean | null;
  reference_code: string | null;
  authorization_code: string | null;
  metadata: JsonObject;
  total_fee: number | null;
  fee_details: { fixed_fee: JsonObject; variable_fee: { currency_code: string; commision: number; total: number } } | null;
  total_fee_taxes: number | null;
  transfer_amount: number | null;
  paid: boolean;
  statement_descriptor: string;
  transfer_id: string | null;
  capture_date: number | null;
}

/** The recorded test rate, 3.99 %, in basis points; IGV of 18 % comes on top of the fee. */
const FEE_RATE_BPS = 399;
const IGV_PERCENT = 18;

/** What Culqi keeps of a sale, rounded half up to the unit. One recorded sample: 1000 → 40 + 7 (culqi.md §1.15). */
export function feesOf(amount: number): { variable: number; taxes: number } {
  const variable = Math.floor((amount * FEE_RATE_BPS + 5_000) / 10_000);
  return { variable, taxes: Math.floor((variable * IGV_PERCENT + 50) / 100) };
}

/** A charge that succeeded. The fees stand there before the capture, too. */
export function approvedCharge(request: ChargeRequest, source: Token, environment: Environment, nowMs: number): Charge {
  const { variable, taxes } = feesOf(request.amount);
  return {
    ...bareCharge(request, source, environment, nowMs),
    outcome: {
      type: 'venta_exitosa', code: 'AUT0000',
      merchant_message: 'La operación de venta ha sido autorizada exitosamente.', user_message: 'Su compra ha sido exitosa.',
    },
    // Yape shows neither this nor instalments (culqi.md §1.5).
    fraud_score: source.type === 'yape' ? null : 12,
    ...(source.type === 'yape' ? { installments_amount: null } : {}),
    capture: request.capture,
    reference_code: randomText(10),
    authorization_code: randomText(6),
    total_fee: variable + taxes,
    fee_details: { fixed_fee: {}, variable_fee: { currency_code: request.currency, commision: FEE_RATE_BPS / 10_000, total: variable } },
    total_fee_taxes: taxes,
    transfer_amount: request.amount - variable - taxes,
  };
}

/** A charge that failed; it is stored and listed all the same. `outcomeOf` makes its outcome from its id. */
export function failedCharge(
  request: ChargeRequest, source: Token, environment: Environment, nowMs: number, outcomeOf: (id: string) => JsonObject | null,
): Charge {
  const charge = bareCharge(request, source, environment, nowMs);
  return { ...charge, outcome: outcomeOf(charge.id) };
}

function bareCharge(request: ChargeRequest, source: Token, environment: Environment, nowMs: number): Charge {
  const { antifraud } = request;
  return {
    duplicated: false, object: 'charge', id: newObjectId('chr', environment), creation_date: nowMs,
    amount: request.amount, amount_refunded: 0, current_amount: request.amount,
    installments: request.installments, installments_amount: Math.round(request.amount / request.installments),
    currency_code: request.currency, email: request.email, description: request.description, source,
    outcome: null, fraud_score: null,
    antifraud_details: {
      first_name: antifraud['first_name'] ?? null, last_name: antifraud['last_name'] ?? null, address: antifraud['address'] ?? null,
      address_city: antifraud['address_city'] ?? null, country_code: antifraud['country_code'] ?? null, phone: antifraud['phone_number'] ?? null,
      object: 'client',
    },
    dispute: false, capture: null, reference_code: null, authorization_code: null, metadata: request.metadata,
    total_fee: null, fee_details: null, total_fee_taxes: null, transfer_amount: null,
    paid: false, statement_descriptor: 'CULQI*', transfer_id: null, capture_date: null,
  };
}
