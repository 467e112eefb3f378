import { describe, expect, it } from '@jest/globals';
import { money } from '../shared/money.js';
import { newAttempt } from './new-attempt.js';
import type { Observed } from './observed.js';
import type { AttemptStatus } from './payment-state.js';
import type { Payment } from './payment.js';
import { refundEffectOf } from './refund-effect.js';
import type { Refund, RefundStatus } from './refund.js';

const now = new Date('2026-11-24T00:00:00Z');
const amount = money(1_000n, 'PEN');
const payment = { id: 'pay_1', state: { status: 'captured', processingReason: null } } as Payment;
const refundOf = (status: RefundStatus): Refund =>
  ({ id: 'rfd_1', tenantId: 'ten_1', paymentId: 'pay_1', version: 1, status, origin: 'api', amount, reason: null, failure: null, gatewayReference: null, createdAt: now, updatedAt: now });
const attemptOf = (status: AttemptStatus) =>
  ({ ...newAttempt({ id: 'att_1', tenantId: 'ten_1', paymentId: 'pay_1', gateway: 'culqi', gatewayAccountId: 'gwa_1', operation: 'refund', refundId: 'rfd_1', amount, createdAt: now }), status });
const effect = (observed: Observed, { refund = 'submitted', attempt = 'sent', mayTryAgain = false }: { refund?: RefundStatus; attempt?: AttemptStatus; mayTryAgain?: boolean } = {}) => {
  const { refund: after, attempt: closed, tickets } = refundEffectOf(payment, attemptOf(attempt), refundOf(refund), observed, mayTryAgain);
  return { refund: after?.status, failure: after?.failure?.code ?? null, reference: after?.gatewayReference, attempt: closed.status, tickets: tickets.map(({ kind }) => kind) };
};
const away: Observed = { kind: 'not_done', failure: { code: 'gateway_unavailable', pspCode: null, message: 'away', retryable: true } };
const refused: Observed = { kind: 'not_done', failure: { code: 'processing_error', pspCode: 'x', message: 'no', retryable: false } };
const shown = (status: 'succeeded' | 'pending', changes: object = {}): Observed => ({ kind: 'refund', refund: { status, reference: 'ref_1', amount, raw: null, ...changes } });

describe('what is observed of a refund', () => {
  it.each<[string, ReturnType<typeof effect>, object]>([
    ['done', effect(shown('succeeded')), { refund: 'succeeded', attempt: 'succeeded', reference: 'ref_1', tickets: [] }],
    ['taken in', effect(shown('pending')), { refund: 'submitted', attempt: 'pending', reference: 'ref_1', tickets: [] }],
    ['a word that nobody knows', effect(shown('pending', { unmapped: 'odd' })), { refund: 'submitted', attempt: 'pending', tickets: ['unmapped_status'] }],
    ['of another amount', effect(shown('succeeded', { amount: money(1_001n, 'PEN') })), { refund: 'needs_review', attempt: 'unknown', reference: null, tickets: ['mismatch'] }],
    ['of no amount that is shown', effect(shown('succeeded', { amount: null })), { refund: 'succeeded' }],
    ['refused by the PSP', effect({ kind: 'refund', refund: { status: 'failed', message: 'no', reference: null, amount: null, raw: null } }), { refund: 'failed', failure: 'processing_error', attempt: 'declined' }],
    ['refused before it was booked', effect(refused, { mayTryAgain: true }), { refund: 'failed', failure: 'processing_error', attempt: 'failed' }],
    ['the PSP being away, to be tried again', effect(away, { mayTryAgain: true }), { refund: 'submitted', failure: null, attempt: 'failed' }],
    ['the PSP being away, once too often', effect(away), { refund: 'failed', failure: 'gateway_unavailable', attempt: 'failed' }],
    ['never arrived, to be tried again', effect({ kind: 'absent' }, { attempt: 'unknown', mayTryAgain: true }), { refund: 'submitted', attempt: 'failed' }],
    ['never arrived, once too often', effect({ kind: 'absent' }, { attempt: 'unknown' }), { refund: 'failed', failure: 'gateway_unavailable', attempt: 'failed' }],
    ['a try that is over not being there, while the next is on its way', effect({ kind: 'absent' }, { attempt: 'failed' }), { refund: 'submitted', attempt: 'failed', failure: null }],
    ['no answer', effect({ kind: 'unknown', detail: 'cut' }, { mayTryAgain: true }), { refund: 'submitted', attempt: 'unknown' }],
    ['no answer, once it was taken in', effect({ kind: 'unknown', detail: 'cut' }, { attempt: 'pending' }), { refund: 'submitted', attempt: 'pending' }],
    ['nothing, the whole schedule long', effect({ kind: 'schedule_exhausted' }, { attempt: 'unknown' }), { refund: 'needs_review', attempt: 'unknown', tickets: ['unresolved_outcome'] }],
    ['done, although it was called failed', effect(shown('succeeded'), { refund: 'failed', attempt: 'failed' }), { refund: 'succeeded', attempt: 'succeeded', tickets: ['late_refund'] }],
    ['done, once more', effect(shown('succeeded'), { refund: 'succeeded', attempt: 'succeeded' }), { refund: 'succeeded', attempt: 'succeeded', tickets: [] }],
    ['less than was known', effect(shown('pending'), { refund: 'succeeded', attempt: 'succeeded' }), { refund: 'succeeded', attempt: 'succeeded' }],
  ])('%s', (_what, told, expected) => { expect(told).toMatchObject(expected); });
});
