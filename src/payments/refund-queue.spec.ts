import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { money } from '../shared/money.js';
import { newAttempt } from './new-attempt.js';
import type { AttemptStatus } from './payment-state.js';
import type { Attempt, Payment, PaymentRecord } from './payment.js';
import { isInDoubt, nextToSend, refundsNotExplained } from './refund-queue.js';
import { nextRefund, refundedOf, REFUND_STATUSES, type Refund, type RefundObservation, type RefundStatus } from './refund.js';

const now = new Date('2026-11-24T00:00:00Z');
const refundOf = (id: string, status: RefundStatus, minor = 1_000n): Refund => ({
  id, tenantId: 'ten_1', paymentId: 'pay_1', version: 1, status, origin: 'api', amount: money(minor, 'PEN'), reason: null, failure: null, gatewayReference: null, createdAt: now, updatedAt: now,
});
const attemptOf = (refundId: string, status: AttemptStatus): Attempt => ({
  ...newAttempt({ id: `att_${refundId}_${status}`, tenantId: 'ten_1', paymentId: 'pay_1', gateway: 'culqi', gatewayAccountId: 'gwa_1', operation: 'refund', refundId, amount: money(1_000n, 'PEN'), createdAt: now }), status,
});
const recordOf = (refunds: Refund[], attempts: Attempt[]): PaymentRecord =>
  ({ payment: { state: { status: 'captured', processingReason: null }, capturedMinor: 12_900n } as Payment, attempts, refunds });

describe('the queue of refunds', () => {
  it.each<[string, Refund[], Attempt[], string | undefined]>([
    ['that were never sent: the oldest', [refundOf('a', 'submitted'), refundOf('b', 'submitted')], [], 'a'],
    ['of which one is on its way: none', [refundOf('a', 'submitted'), refundOf('b', 'submitted')], [attemptOf('a', 'sent')], undefined],
    ['of which one is unknown: none', [refundOf('a', 'submitted'), refundOf('b', 'submitted')], [attemptOf('a', 'unknown')], undefined],
    ['of which one waits for people: none', [refundOf('a', 'needs_review'), refundOf('b', 'submitted')], [attemptOf('a', 'unknown')], undefined],
    ['of which one was surely not done: that one again', [refundOf('a', 'submitted'), refundOf('b', 'submitted')], [attemptOf('a', 'failed')], 'a'],
    ['of which one is taken in by the PSP: the next', [refundOf('a', 'submitted'), refundOf('b', 'submitted')], [attemptOf('a', 'pending')], 'b'],
    ['of which one is done: the next', [refundOf('a', 'succeeded'), refundOf('b', 'submitted')], [attemptOf('a', 'succeeded')], 'b'],
    ['that have all ended: none', [refundOf('a', 'succeeded'), refundOf('b', 'failed')], [attemptOf('a', 'succeeded'), attemptOf('b', 'declined')], undefined],
  ])('sends, of refunds %s', (_what, refunds, attempts, next) => {
    expect(nextToSend({ refunds, attempts })?.id).toBe(next);
  });

  it('never sends while a call is in doubt, and never one of which a call may have worked', () => {
    const status = fc.constantFrom<AttemptStatus>('sent', 'pending', 'succeeded', 'declined', 'failed', 'unknown');
    const entry = fc.record({ status: fc.constantFrom(...REFUND_STATUSES), attempts: fc.array(status, { maxLength: 3 }) });
    fc.assert(fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
      const refunds = entries.map((one, i) => refundOf(String(i), one.status));
      const attempts = entries.flatMap((one, i) => one.attempts.map((each) => attemptOf(String(i), each)));
      const chosen = nextToSend({ refunds, attempts });
      if (chosen === undefined) return;
      expect(isInDoubt({ refunds, attempts })).toBe(false);
      expect(chosen.status).toBe('submitted');
      expect(attempts.filter(({ refundId }) => refundId === chosen.id).every((attempt) => attempt.status === 'failed')).toBe(true);
    }), { numRuns: 2_000 });
  });
});

describe('money that the PSP shows as given back', () => {
  it.each<[string, bigint, Refund[], Attempt[], bigint]>([
    ['by nobody of ours', 2_500n, [], [], 2_500n], ['by a refund that succeeded', 1_000n, [refundOf('a', 'succeeded')], [], 0n], ['by it and somebody else', 1_300n, [refundOf('a', 'succeeded')], [], 300n],
    ['perhaps by one on its way', 1_000n, [refundOf('a', 'submitted')], [attemptOf('a', 'sent')], 0n], ['perhaps by one that is unknown, and more', 1_700n, [refundOf('a', 'submitted')], [attemptOf('a', 'unknown')], 700n],
    ['while one waits that was never sent', 1_000n, [refundOf('a', 'submitted')], [], 1_000n], ['while one failed', 1_000n, [refundOf('a', 'failed')], [attemptOf('a', 'declined')], 1_000n],
    ['beyond what was captured', 20_000n, [refundOf('a', 'succeeded')], [], 11_900n], ['less than we know of', 400n, [refundOf('a', 'succeeded')], [], 0n],
  ])('%s leaves to explain', (_what, shown, refunds, attempts, left) => {
    expect(refundsNotExplained(recordOf(refunds, attempts), shown)).toBe(left);
  });

  it('of a payment that is not captured explains nothing', () => {
    const record = recordOf([], []);
    expect(refundsNotExplained({ ...record, payment: { ...record.payment, state: { status: 'voided', processingReason: null } } }, 500n)).toBe(0n);
  });
});

describe('a refund', () => {
  const OBSERVATIONS: RefundObservation[] = ['succeeded', 'failed', 'pending', 'not_done', 'absent', 'unknown', 'mismatch', 'schedule_exhausted'];
  it('that succeeded never moves, and one that failed moves only when it was done after all', () => {
    for (const observation of OBSERVATIONS) {
      expect(nextRefund('succeeded', observation)).toBe('succeeded');
      expect(nextRefund('failed', observation)).toBe(observation === 'succeeded' ? 'succeeded' : 'failed');
    }
  });

  it('is never called failed because time passed or no answer came', () => {
    for (const status of REFUND_STATUSES) for (const observation of ['unknown', 'pending', 'schedule_exhausted'] as const) if (status !== 'failed') expect(nextRefund(status, observation)).not.toBe('failed');
  });

  it('counts as taken until it has failed', () => {
    expect(refundedOf([refundOf('a', 'succeeded', 1n), refundOf('b', 'submitted', 10n), refundOf('c', 'needs_review', 100n), refundOf('d', 'failed', 1_000n)])).toEqual({ succeededMinor: 1n, pendingMinor: 110n });
  });
});
