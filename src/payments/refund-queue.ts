import type { Attempt, PaymentRecord } from './payment.js';
import { refundedOf, type Refund } from './refund.js';

/** How often a refund is sent at most; between the tries it was surely not done. */
export const REFUND_TRIES_MAX = 8;

/** How often a refund was sent. */
export function triesOf({ attempts }: Pick<PaymentRecord, 'attempts'>, { id }: Refund): number {
  return attempts.filter(({ refundId }) => refundId === id).length;
}

/** Our id of a refund at its PSP: where a repeat is answered as the first, every try goes out under the first one's, so that one which arrives late does nothing more. */
export function outgoingIdOf({ attempts }: Pick<PaymentRecord, 'attempts'>, refundId: string | null, attemptId: string, honoursIdempotencyKey: boolean): string {
  return (honoursIdempotencyKey ? attempts.find((attempt) => attempt.refundId !== null && attempt.refundId === refundId)?.id : undefined) ?? attemptId;
}

/** Whether a call for a refund may still do something that we have not heard of. */
export function isInDoubt({ attempts, refunds }: Pick<PaymentRecord, 'attempts' | 'refunds'>): boolean {
  return attempts.some((attempt) => attempt.refundId !== null && (attempt.status === 'sent' || attempt.status === 'unknown')
    && refunds.some(({ id, status }) => id === attempt.refundId && (status === 'submitted' || status === 'needs_review')));
}

/** The refunds that wait to be sent, oldest first: every call for them, if any, was surely not done. */
function waitingOf({ attempts, refunds }: Pick<PaymentRecord, 'attempts' | 'refunds'>): Refund[] {
  const isOver = (attempt: Attempt): boolean => attempt.status === 'failed';
  return refunds.filter(({ id, status }) => status === 'submitted' && attempts.filter(({ refundId }) => refundId === id).every(isOver));
}

/** The refund to be sent next; undefined while none waits, or while another is in doubt: then a PSP without keys could not tell them apart. */
export function nextToSend(record: Pick<PaymentRecord, 'attempts' | 'refunds'>): Refund | undefined {
  return isInDoubt(record) ? undefined : waitingOf(record)[0];
}

/**
 * How much the PSP shows as given back beyond what our own refunds explain, in minor units. What may have been done already is taken to explain as much
 * as it can: the rest was done in the PSP's panel (architecture §5).
 */
export function refundsNotExplained(record: PaymentRecord, givenBackMinor: bigint): bigint {
  const { payment, refunds } = record;
  if (payment.state.status !== 'captured') return 0n;
  const waitingMinor = waitingOf(record).reduce((total, { amount }) => total + amount.amountMinor, 0n);
  const { succeededMinor, pendingMinor } = refundedOf(refunds);
  const notExplained = givenBackMinor - succeededMinor - (pendingMinor - waitingMinor);
  const left = payment.capturedMinor - succeededMinor;
  const found = notExplained < left ? notExplained : left;
  return found > 0n ? found : 0n;
}
