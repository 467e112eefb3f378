import type { RefundReason } from '../gateways/contract/payment-gateway.js';
import type { Money } from '../shared/money.js';
import type { Failure } from './failure.js';

/** Where a refund stands (design/api.md). `submitted` is everything between being asked for and the PSP's word; `needs_review` waits for people. */
export const REFUND_STATUSES = ['submitted', 'succeeded', 'failed', 'needs_review'] as const;
export type RefundStatus = (typeof REFUND_STATUSES)[number];

/** `gateway`: done in the PSP's panel, not by us. */
export type RefundOrigin = 'api' | 'gateway';

/** Money of a payment that is given back, or is to be. */
export type Refund = {
  id: string;
  tenantId: string;
  paymentId: string;
  version: number;
  status: RefundStatus;
  origin: RefundOrigin;
  amount: Money;
  reason: RefundReason | null;
  failure: Failure | null;
  gatewayReference: string | null;
  createdAt: Date;
  updatedAt: Date;
};

/** What one look or reply taught us about a refund. */
export type RefundObservation = 'succeeded' | 'failed' | 'pending' | 'not_done' | 'absent' | 'unknown' | 'mismatch' | 'schedule_exhausted';

const stay = null;

/** Every pair of status and observation. A refund that was called failed and then shows as done was done: money that moved is never denied. */
const NEXT: Record<RefundStatus, Record<RefundObservation, RefundStatus | typeof stay>> = {
  submitted: {
    succeeded: 'succeeded', failed: 'failed', not_done: 'failed', absent: 'failed', mismatch: 'needs_review', schedule_exhausted: 'needs_review', pending: stay, unknown: stay,
  },
  needs_review: { succeeded: 'succeeded', failed: 'failed', not_done: stay, absent: stay, mismatch: stay, schedule_exhausted: stay, pending: stay, unknown: stay },
  failed: { succeeded: 'succeeded', failed: stay, not_done: stay, absent: stay, mismatch: stay, schedule_exhausted: stay, pending: stay, unknown: stay },
  succeeded: { succeeded: stay, failed: stay, not_done: stay, absent: stay, mismatch: stay, schedule_exhausted: stay, pending: stay, unknown: stay },
};

/** Where a refund stands after an observation. Pure. */
export function nextRefund(current: RefundStatus, observation: RefundObservation): RefundStatus {
  return NEXT[current][observation] ?? current;
}

/** What of a payment is given back already, and what is on its way or may be: in flight, unknown and waiting refunds count as taken. In minor units. */
export function refundedOf(refunds: readonly Refund[]): { succeededMinor: bigint; pendingMinor: bigint } {
  const sum = (statuses: readonly RefundStatus[]): bigint =>
    refunds.filter(({ status }) => statuses.includes(status)).reduce((total, { amount }) => total + amount.amountMinor, 0n);
  return { succeededMinor: sum(['succeeded']), pendingMinor: sum(['submitted', 'needs_review']) };
}
