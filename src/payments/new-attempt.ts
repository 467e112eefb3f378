import type { Attempt } from './payment.js';

/** What is decided when an attempt begins; the rest is learnt. */
type Beginning = Pick<Attempt, 'id' | 'tenantId' | 'paymentId' | 'gateway' | 'gatewayAccountId' | 'operation' | 'amount' | 'createdAt'>
  & Partial<Pick<Attempt, 'gatewayReference' | 'refundId' | 'returnsAttemptId'>>;

/** An attempt that is about to be made. Its times are set by the database's clock when it is stored. */
export function newAttempt(beginning: Beginning): Attempt {
  return {
    gatewayReference: null, refundId: null, returnsAttemptId: null, status: 'sent', code: null, pspCode: null, latencyMs: null,
    sentAt: beginning.createdAt, deadlineAt: beginning.createdAt, lookUps: 0, nextLookUpAt: null, firstAbsentAt: null, answer: null, ...beginning,
  };
}
