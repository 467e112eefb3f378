import type { NewAnswer, StoredAnswer } from '../platform/idempotency/idempotency-keys.js';
import type { PaymentRecord } from './payment.js';
import { paymentView } from './payment-view.js';
import { refundView } from './refund-view.js';

/** An answer to a keyed request, and whether it had been given before. */
export type Answer = StoredAnswer & { replayed: boolean };

/** The bytes that show a payment, or one of its refunds. They are stored, so that a repeat gets the very same. */
export function answerWith(shown: PaymentRecord, refundId: string | null, statusCode: number, locale: string): NewAnswer {
  return { paymentId: shown.payment.id, statusCode, body: Buffer.from(JSON.stringify(refundId === null ? paymentView(shown, locale) : refundView(refundIn(shown, refundId), locale))) };
}

function refundIn({ payment, refunds }: PaymentRecord, refundId: string) {
  const refund = refunds.find(({ id }) => id === refundId);
  if (refund === undefined) throw new Error(`payment ${payment.id} has no refund ${refundId}`);
  return refund;
}
