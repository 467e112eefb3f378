import type { StoredAnswer } from '../platform/idempotency/idempotency-keys.js';
import type { PaymentWithAttempts } from './payment.js';
import { paymentView } from './payment-view.js';

/** An answer to a keyed request, and whether it had been given before. */
export type Answer = StoredAnswer & { replayed: boolean };

/** The bytes that show a payment. They are stored, so that a repeat gets the very same. */
export function answerWith(shown: PaymentWithAttempts, statusCode: number, locale: string): StoredAnswer {
  return { statusCode, body: Buffer.from(JSON.stringify(paymentView(shown, locale))) };
}
