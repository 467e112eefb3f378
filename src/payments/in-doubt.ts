import type { Attempt, PaymentRecord } from './payment.js';

/** The attempts whose end we have not heard of, once their calls are over, the payment's own first. */
export function attemptsInDoubt({ payment, attempts, refunds }: PaymentRecord): Attempt[] {
  const { state, pendingOperation } = payment;
  const own = state.status === 'processing' || state.status === 'needs_review' ? attempts.findLast(({ operation }) => operation === 'authorize')
    : pendingOperation === null ? undefined : attempts.findLast(({ operation, returnsAttemptId }) => operation === pendingOperation && returnsAttemptId === null);
  return [...(own === undefined ? [] : [own]), ...refunding({ attempts, refunds }, 'submitted')].filter(({ status }) => status !== 'sent');
}

/** The refunds' attempts whose end people wait for: nobody asks the PSP about them by the schedule any more. */
export function parkedRefunds(record: Pick<PaymentRecord, 'attempts' | 'refunds'>): Attempt[] {
  return refunding(record, 'needs_review');
}

function refunding({ attempts, refunds }: Pick<PaymentRecord, 'attempts' | 'refunds'>, wanted: 'submitted' | 'needs_review'): Attempt[] {
  const ids = new Set(refunds.filter(({ status }) => status === wanted).map(({ id }) => id));
  return attempts.filter(({ refundId, status }) => refundId !== null && ids.has(refundId) && (status === 'unknown' || status === 'pending'));
}
