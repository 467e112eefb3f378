import type { Attempt, PaymentRecord } from './payment.js';

/** The attempts whose end we have not heard of, once their calls are over, the payment's own first. */
export function attemptsInDoubt({ payment, attempts, refunds }: PaymentRecord): Attempt[] {
  const { state, pendingOperation } = payment;
  const own = state.status === 'processing' ? attempts.findLast(({ operation }) => operation === 'authorize')
    : pendingOperation === null ? undefined : attempts.findLast(({ operation, returnsAttemptId }) => operation === pendingOperation && returnsAttemptId === null);
  const submitted = new Set(refunds.filter(({ status }) => status === 'submitted').map(({ id }) => id));
  const refunding = attempts.filter(({ refundId, status }) => refundId !== null && submitted.has(refundId) && (status === 'unknown' || status === 'pending'));
  return [...(own === undefined ? [] : [own]), ...refunding].filter(({ status }) => status !== 'sent');
}
