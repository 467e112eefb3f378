import type { PaymentSnapshot } from '../gateways/contract/payment-gateway.js';
import type { PaymentStatus } from './payment-state.js';
import type { PaymentRecord } from './payment.js';
import { refundsNotExplained } from './refund-queue.js';

/** Statuses that what the PSP shows agrees with; where refunds and references must agree, too, that is looked at besides. */
const AGREES: Record<PaymentSnapshot['status'], readonly PaymentStatus[]> = {
  captured: ['captured'],
  authorized: ['authorized'],
  pending: ['processing', 'requires_action', 'needs_review'],
  requires_action: ['requires_action', 'processing'],
  // What has not moved there may have ended here in any of these ways.
  declined: ['failed', 'created', 'needs_review'],
  voided: ['voided', 'failed', 'expired'],
  expired: ['expired', 'failed', 'voided'],
};

/** Whether the PSP's books show a payment otherwise than ours do, so that it must be applied. Pure. */
export function differs(record: PaymentRecord, snapshot: PaymentSnapshot): boolean {
  const { state, gatewayReference } = record.payment;
  if (!AGREES[snapshot.status].includes(state.status)) return true;
  if (snapshot.status === 'authorized') return snapshot.reference !== gatewayReference;
  if (snapshot.status !== 'captured') return false;
  const isAnother = snapshot.captured !== null && snapshot.captured.amountMinor !== record.payment.capturedMinor;
  return isAnother || snapshot.reference !== gatewayReference || refundsNotExplained(record, snapshot.refunded?.amountMinor ?? 0n) > 0n;
}
