/**
 * What a person must look at:
 * - `mismatch`: the PSP's answer shows another amount, currency or reference than was asked.
 * - `late_capture`: money moved for an attempt that was closed as not done.
 * - `duplicate_charge`: the PSP holds two successful payments of one attempt.
 * - `unresolved_outcome`: the whole look-up schedule brought no evidence.
 * - `unmapped_status`: the PSP used a word that no table of ours has.
 * - `late_refund`: a refund that was called failed was done after all.
 * - `unknown_payment`: the PSP has money under an id of ours that we do not know.
 * - `captured_unasked`: the PSP took reserved money by itself, as it may.
 * - `chargeback`: the customer's bank wants the money back, or has taken it.
 * - `card_data_found`: a card number stood in stored text; it is redacted (docs/security.md).
 */
export const TICKET_KINDS = ['mismatch', 'late_capture', 'duplicate_charge', 'unresolved_outcome', 'unmapped_status', 'late_refund', 'unknown_payment', 'captured_unasked', 'chargeback', 'card_data_found'] as const;
export type TicketKind = (typeof TICKET_KINDS)[number];

export type TicketRecord = {
  id: string; kind: TicketKind; paymentId: string | null; refundId: string | null; attemptId: string | null; status: 'open' | 'resolved'; evidence: Record<string, unknown>; openedAt: Date;
  resolvedAt: Date | null; resolution: string | null; resolvedBy: string | null;
};
