import { createHash } from 'node:crypto';
import type { PaymentSnapshot } from '../gateways/contract/payment-gateway.js';
import type { DatabaseAccess } from '../platform/database/database.js';
import type { JobQueue } from '../platform/jobs/job-queue.js';
import { newId } from '../shared/id.js';
import type { Effect } from './apply-effect.js';
import type { Observed } from './observed.js';
import type { Attempt, PaymentRecord } from './payment.js';
import { nextToSend, refundsNotExplained, triesOf } from './refund-queue.js';

export const RETURN_JOB = 'payments.return';
export const REFUND_QUEUE_JOB = 'payments.send_refund';
export const REFUND_CHECK_JOB = 'payments.check_refunds';

/** What must be done because of what was observed. */
export type FollowUp =
  /** Money that moved for an attempt that was closed, or a second time: it goes back. */
  | { kind: 'return'; attemptId: string; reference: string }
  /** A refund waited for another of its payment, or for the PSP. `tries`: how often it was sent already. */
  | { kind: 'send_refund'; paymentId: string; tries: number; /** How long the PSP asks to be left alone. */ leftAloneMs?: number }
  /** The PSP shows more given back than we know of. */
  | { kind: 'check_refunds'; attemptId: string; seenMinor: bigint };

/** What follows from an observation, with the payment as it is afterwards. Pure. */
export function consequencesOf(after: PaymentRecord, attempt: Attempt, observed: Observed, effect: Effect): FollowUp[] {
  // The money that a payment stands on is never stray, whatever was seen of it.
  const own = after.payment.state.status === 'captured' || after.payment.state.status === 'authorized' ? after.payment.gatewayReference : null;
  const followUps: FollowUp[] = effect.tickets.flatMap(({ kind, evidence }) => strayReferences(kind, evidence).filter((reference) => reference !== own).map((reference) => ({ kind: 'return' as const, attemptId: attempt.id, reference })));
  const waiting = effect.refund === undefined ? undefined : nextToSend(after);
  if (waiting !== undefined) followUps.push({ kind: 'send_refund', paymentId: after.payment.id, tries: triesOf(after, waiting), ...(observed.kind === 'not_done' && observed.retryAfterMs !== undefined ? { leftAloneMs: observed.retryAfterMs } : {}) });
  // Of another charge it is not this payment's money.
  if (observed.kind === 'snapshot' && observed.snapshot.reference === after.payment.gatewayReference) {
    const seenMinor = refundsNotExplained(after, givenBack(observed.snapshot));
    if (seenMinor > 0n) followUps.push({ kind: 'check_refunds', attemptId: attempt.id, seenMinor });
  }
  return followUps;
}

function givenBack({ refunded }: PaymentSnapshot): bigint {
  return refunded?.amountMinor ?? 0n;
}

function strayReferences(kind: Effect['tickets'][number]['kind'], evidence: Record<string, unknown>): string[] {
  if (kind === 'late_capture') return typeof evidence.reference === 'string' ? [evidence.reference] : [];
  return kind === 'duplicate_charge' && Array.isArray(evidence.duplicates) ? evidence.duplicates as string[] : [];
}

/** Arranges what follows, in the transaction of what it follows from. */
export class FollowUps {
  /** `scheduleMs`: delays before a refund is tried again; `lagMs`: how far a PSP's look-ups may lag behind its books. */
  constructor(private readonly jobs: JobQueue, private readonly settings: { scheduleMs: readonly number[]; lagMs: number }) {}

  async arrange(access: DatabaseAccess, { tenantId, gateway }: Pick<Attempt, 'tenantId' | 'gateway'>, followUps: readonly FollowUp[]): Promise<void> {
    for (const followUp of followUps) {
      const { payload, name, delayMs } = this.jobOf(followUp);
      await this.jobs.enqueueAgain(access, { id: newId('job'), kind: kindOf(followUp), tenantId, payload, uniqueKey: `${followUp.kind}:${name}`, lane: gateway, delayMs });
    }
  }

  private jobOf(followUp: FollowUp): { payload: Record<string, string>; name: string; delayMs: number } {
    switch (followUp.kind) {
      // A reference may be longer than a unique key.
      case 'return': return { payload: { attemptId: followUp.attemptId, reference: followUp.reference }, name: createHash('sha256').update(`${followUp.attemptId} ${followUp.reference}`).digest('hex'), delayMs: 0 };
      case 'send_refund': return { payload: { paymentId: followUp.paymentId }, name: followUp.paymentId, delayMs: Math.max(this.delayMs(followUp.tries), followUp.leftAloneMs ?? 0) };
      case 'check_refunds': return { payload: { attemptId: followUp.attemptId, seenMinor: String(followUp.seenMinor) }, name: followUp.attemptId, delayMs: this.settings.lagMs };
    }
  }

  private delayMs(tries: number): number {
    return tries === 0 ? 0 : this.settings.scheduleMs[Math.min(tries, this.settings.scheduleMs.length) - 1] ?? 0;
  }
}

function kindOf({ kind }: FollowUp): string {
  return { return: RETURN_JOB, send_refund: REFUND_QUEUE_JOB, check_refunds: REFUND_CHECK_JOB }[kind];
}
