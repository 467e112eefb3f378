import type { PaymentSnapshot, RefundReference, RefundSnapshot } from '../contract/payment-gateway.js';

/** The search for a lost payment: from before it was sent until after it could last have been; ours are told by our reference, so one page is plenty. */
export const SEARCH = { beforeMs: 60 * 60_000, afterMs: 60 * 60_000, limit: 100 };

/** Of what a search shows, what carries this attempt's id. A rejected payment says less than one that took money. */
export function oursAmong(found: readonly PaymentSnapshot[], attemptId: string): PaymentSnapshot | null {
  const snapshots = found.filter(({ ourReference }) => ourReference === attemptId);
  const [first, ...duplicates] = snapshots.filter(({ status }) => status !== 'declined');
  if (first === undefined) return snapshots[0] ?? null;
  return duplicates.length === 0 ? first : { ...first, duplicates: duplicates.flatMap(({ reference }) => reference ?? []) };
}

/** Refunds carry nothing of ours: this one is the payment's refund of this amount that none of our others is. One that was rejected says less than one that gave money back. */
export function refundAmong(found: readonly RefundSnapshot[], { amount, otherReferences }: Pick<RefundReference, 'amount' | 'otherReferences'>): RefundSnapshot | null {
  const snapshots = found.filter(({ reference, amount: shown }) => (reference === null || !otherReferences.includes(reference)) && shown?.amountMinor === amount.amountMinor);
  return snapshots.find(({ status }) => status !== 'failed') ?? snapshots[0] ?? null;
}
