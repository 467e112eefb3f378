import { GatewayError } from '../contract/gateway-error.js';
import type { PaymentSnapshot, RefundReference, RefundSnapshot } from '../contract/payment-gateway.js';
import type { Money } from '../../shared/money.js';

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
  const snapshots = found.filter((refund) => mayBe(refund, { amount, otherReferences }));
  return snapshots.find(({ status }) => status !== 'failed') ?? snapshots[0] ?? null;
}

/** What MercadoPago shows of a payment's refunds: the total that was given back, null where it does not say, and each refund with the last moment at which it may have been made. */
export type ShownRefunds = { refunded: Money | null; listed: readonly { refund: RefundSnapshot; madeAt: Date | null }[] };

/**
 * The refund whose reply was lost. The total comes first: while others explain all that was given back, some of them made in the panel and without an id
 * here, no refund that is listed as done is ours. One that is in process is in no total yet. A rejected one is ours only if it was made when ours was, and
 * ours cannot be on its way any more. Null when none is shown.
 * @throws GatewayError `outcome_unknown` when what is shown does not add up, or may still change
 */
export function lostRefund({ refunded, listed }: ShownRefunds, attempt: RefundReference, now: Date): RefundSnapshot | null {
  const { amount, refundedBefore, sentAt, deadlineAt } = attempt;
  if (refunded?.currency !== refundedBefore.currency) throw new GatewayError('outcome_unknown', 'MercadoPago does not show how much was given back');
  const isMore = refunded.amountMinor > refundedBefore.amountMinor;
  const since = sentAt.getTime() - SEARCH.beforeMs;
  const candidates = listed.filter(({ refund, madeAt }) => mayBe(refund, attempt) && (madeAt === null || madeAt.getTime() >= since));
  const done = candidates.find(({ refund }) => refund.status === 'succeeded');
  if (isMore && done !== undefined) return done.refund;
  const waiting = candidates.find(({ refund }) => refund.status === 'pending');
  if (waiting !== undefined) return waiting.refund;
  const rejected = candidates.find(({ refund, madeAt }) => refund.status === 'failed' && madeAt !== null);
  const listedMinor = listed.reduce((sum, { refund }) => sum + (refund.status === 'succeeded' ? refund.amount?.amountMinor ?? 0n : 0n), 0n);
  if (rejected !== undefined && (refunded.amountMinor === refundedBefore.amountMinor || refunded.amountMinor === listedMinor)) {
    if (now > deadlineAt) return rejected.refund;
    throw new GatewayError('outcome_unknown', `MercadoPago rejected a refund of ${amount.currency} while ours may still be on its way`);
  }
  if (refunded.amountMinor === refundedBefore.amountMinor) return null;
  throw new GatewayError('outcome_unknown', 'MercadoPago shows money given back, and lists no refund for it');
}

function mayBe({ reference, amount: shown }: RefundSnapshot, { amount, otherReferences }: Pick<RefundReference, 'amount' | 'otherReferences'>): boolean {
  return (reference === null || !otherReferences.includes(reference)) && shown?.amountMinor === amount.amountMinor;
}

/** The instant that a PSP's text means; null when it means none. */
export function instantOf(text: string | null | undefined): Date | null {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? null : new Date(ms);
}

/** How far a listing is read: what MercadoPago pages at most (psp/mercadopago.md §2.7, "1000 rows exceeded"), and pages, should it show fewer rows on each than asked for. */
const LISTING = { rowsMax: 1_000, pagesMax: 50 };

/**
 * All rows of a listing, read by what came, not by what was asked for; null when there are more than can be listed at once.
 * @throws GatewayError `outcome_unknown` when fewer rows came than there are: one that moves from page to page meanwhile hides another
 */
export async function allRows<Row extends { id: string }>(pageAt: (at: { offset: number; number: number; limit: number }) => Promise<{ rows: readonly Row[]; total: number }>): Promise<Row[] | null> {
  const found = new Map<string, Row>();
  let [offset, total] = [0, 0];
  for (let number = 1; number <= LISTING.pagesMax; number += 1) {
    const page = await pageAt({ offset, number, limit: Math.min(SEARCH.limit, LISTING.rowsMax - offset) });
    total = Math.max(total, page.total);
    if (total > LISTING.rowsMax) return null;
    for (const row of page.rows) found.set(row.id, row);
    offset += page.rows.length;
    if (page.rows.length === 0 || offset >= total) break;
  }
  if (found.size < total) throw new GatewayError('outcome_unknown', 'MercadoPago lists fewer payments than there are');
  return [...found.values()];
}
