import { sameMoney } from '../shared/money.js';
import type { Effect } from './apply-effect.js';
import type { Observed } from './observed.js';
import type { AttemptStatus } from './payment-state.js';
import type { Failure } from './failure.js';
import type { Attempt, Payment } from './payment.js';
import { nextRefund, type Refund, type RefundObservation } from './refund.js';

const ATTEMPT: Record<RefundObservation, AttemptStatus> = {
  succeeded: 'succeeded', failed: 'declined', pending: 'pending', not_done: 'failed', absent: 'failed', unknown: 'unknown', mismatch: 'unknown', schedule_exhausted: 'unknown',
};
const CLOSED: ReadonlySet<AttemptStatus> = new Set<AttemptStatus>(['succeeded', 'declined', 'failed']);

/**
 * Works out what an observation of a refund does. Pure: whoever calls it holds the payment's row lock and writes the result. `mayTryAgain`: a call that
 * surely had no effect, because the PSP could not be reached or never saw it, ends nothing yet.
 */
export function refundEffectOf(payment: Payment, attempt: Attempt, refund: Refund, observed: Observed, mayTryAgain: boolean): Effect {
  const observation = observationOf(refund, observed);
  const isTriedAgain = mayTryAgain && (observed.kind === 'absent' || (observed.kind === 'not_done' && observed.failure.retryable));
  // A try that is over ends nothing by not being there: the next one may be on its way.
  const isOver = CLOSED.has(attempt.status) && (observed.kind === 'absent' || observed.kind === 'not_done');
  const status = isTriedAgain || isOver ? refund.status : nextRefund(refund.status, observation);
  const failure = status === 'failed' ? refund.failure ?? failureOf(observed) : null;
  const snapshot = observed.kind === 'refund' ? observed.refund : null;
  return {
    payment, observation, detail: null,
    refund: { ...refund, status, failure, gatewayReference: (observation === 'mismatch' ? null : snapshot?.reference) ?? refund.gatewayReference },
    attempt: {
      ...attempt, status: nextAttempt(attempt.status, observation), pspCode: snapshot?.pspCode ?? attempt.pspCode,
      ...(observed.kind === 'not_done' ? { code: observed.failure.code, pspCode: observed.failure.pspCode } : {}),
    },
    tickets: ticketsOf(refund, observation, observed),
  };
}

function observationOf(refund: Refund, observed: Observed): RefundObservation {
  if (observed.kind === 'snapshot') throw new Error('a refund is told by its own snapshot');
  if (observed.kind !== 'refund') return observed.kind;
  const { status, amount } = observed.refund;
  return status !== 'failed' && amount !== null && !sameMoney(amount, refund.amount) ? 'mismatch' : status;
}

function nextAttempt(current: AttemptStatus, observation: RefundObservation): AttemptStatus {
  if (CLOSED.has(current) && observation !== 'succeeded') return current;
  return current === 'pending' && observation === 'unknown' ? current : ATTEMPT[observation];
}

function failureOf(observed: Observed): Failure {
  if (observed.kind === 'not_done') return observed.failure;
  if (observed.kind === 'absent') return { code: 'gateway_unavailable', pspCode: null, message: 'The gateway never received the refund.', retryable: true };
  const message = observed.kind === 'refund' && observed.refund.status === 'failed' ? observed.refund.message : 'The gateway refused the refund.';
  return { code: 'processing_error', pspCode: observed.kind === 'refund' ? observed.refund.pspCode ?? null : null, message, retryable: false };
}

function ticketsOf(refund: Refund, observation: RefundObservation, observed: Observed): Effect['tickets'] {
  const evidence = { refundId: refund.id };
  if (observation === 'mismatch' && observed.kind === 'refund') {
    return [{ kind: 'mismatch', evidence: { ...evidence, reference: observed.refund.reference, amountMinor: observed.refund.amount?.amountMinor.toString(), detail: 'the PSP shows another amount' } }];
  }
  if (observation === 'schedule_exhausted') return [{ kind: 'unresolved_outcome', evidence }];
  if (observation === 'succeeded' && refund.status === 'failed') return [{ kind: 'late_refund', evidence }];
  if (observed.kind === 'refund' && observed.refund.status === 'pending' && observed.refund.unmapped !== undefined) {
    return [{ kind: 'unmapped_status', evidence: { ...evidence, word: observed.refund.unmapped } }];
  }
  return [];
}
