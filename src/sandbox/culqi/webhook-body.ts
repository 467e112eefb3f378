import { randomText } from './object-id.js';
import { type Charge } from './charge.js';
import { type Refund } from './refund.js';

/** The events of charges and refunds that the emulator sends (culqi.md §1.12). */
export type CulqiEvent = 'charge.creation.succeeded' | 'charge.creation.failed' | 'charge.capture.succeeded' | 'charge.expired' | 'refund.creation.succeeded';

/** An event as Culqi posts it: `data` is JSON in a string, its members in camelCase, unlike the API's. */
export function eventBody(event: CulqiEvent, data: Record<string, unknown>, environment: string, nowMs: number, form: 'string' | 'object'): string {
  return JSON.stringify({ object: 'event', id: `evt_${environment}_${randomText(16)}`, type: event, creation_date: nowMs, data: form === 'string' ? JSON.stringify(data) : data });
}

export function chargeData(charge: Charge): Record<string, unknown> {
  const { outcome } = charge;
  return {
    object: 'charge', id: charge.id, creationDate: charge.creation_date, originalAmount: charge.amount, refundedAmount: charge.amount_refunded, actualAmount: charge.current_amount,
    amount: charge.amount, currency: charge.currency_code, email: charge.email, source: { id: charge.source.id, cardNumber: charge.source.card_number },
    outcome: outcome === null ? null : { type: outcome['type'], code: outcome['code'], declineCode: outcome['decline_code'], message: outcome['merchant_message'], userMessage: outcome['user_message'] },
    fee: charge.total_fee, feeTaxes: charge.total_fee_taxes, transferAmount: charge.transfer_amount, referenceCode: charge.reference_code, metadata: charge.metadata,
  };
}

export function refundData(refund: Refund): Record<string, unknown> {
  return { object: 'refund', id: refund.id, chargeId: refund.charge_id, creationDate: refund.creation_date, amount: refund.amount, reason: refund.reason, metadata: refund.metadata };
}
