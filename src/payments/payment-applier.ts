import { createHash } from 'node:crypto';
import type { GatewayProfile } from '../gateways/contract/gateway-definition.js';
import type { DatabaseAccess } from '../platform/database/database.js';
import type { JobQueue, Job, NewJob } from '../platform/jobs/job-queue.js';
import { currentTraceId } from '../platform/http/trace.js';
import type { Clock } from '../shared/clock.js';
import { newId } from '../shared/id.js';
import type { Tickets } from '../tickets/tickets.js';
import type { Effect } from './apply-effect.js';
import { effectOn } from './record-effect.js';
import type { Observed } from './observed.js';
import { isOpen, TERMINAL, type PaymentStatus, type TransitionCause } from './payment-state.js';
import type { PaymentStore } from './payment-store.js';
import type { Attempt, Payment, PaymentRecord } from './payment.js';
import { consequencesOf, type FollowUps } from './follow-ups.js';

/** One observation of one attempt, and how it was made. */
export type Application = {
  tenantId: string;
  paymentId: string;
  attemptId: string;
  /** What was observed, and the attempt with its next look-up planned; decided under the lock, at `now` by the database's clock. */
  decide: (payment: Payment, attempt: Attempt, now: Date) => { observed: Observed; attempt: Attempt };
  cause: TransitionCause;
  profile: GatewayProfile;
  /** Of the call that was answered, in milliseconds. */
  latencyMs?: number;
  /** The PSP's answer for the audit trail, without secrets. */
  answer?: string;
};

/** The payment as it is now, its attempt, and when that was, by the database's clock. */
export type Applied = PaymentRecord & { attempt: Attempt; now: Date };

/** Statuses in which the PSP is still to be asked. */
const AWAITED: ReadonlySet<PaymentStatus> = new Set<PaymentStatus>(['processing', 'requires_action']);

/** How often the PSP is asked about reserved money, which it may capture or release by itself; soon after the end of its time, and then until it ends it. */
const RESERVED_EVERY_MS = 24 * 60 * 60_000;
const AFTER_ITS_END_MS = 60_000;
const ENDED_EVERY_MS = 60 * 60_000;

/**
 * The one place where a payment moves. Reply, look-up and takeover all end here: one lock, one state path (architecture §1).
 */
export class PaymentApplier {
  constructor(private readonly store: PaymentStore, private readonly tickets: Tickets, private readonly followUps: FollowUps, private readonly clock: Clock) {}

  /** Applies what was observed, in the caller's transaction, under the payment's row lock. What changes nothing writes nothing. */
  async apply(access: DatabaseAccess, application: Application): Promise<Applied> {
    const { tenantId, paymentId, attemptId } = application;
    const { payment, now } = await this.store.lock(access, tenantId, paymentId);
    const before = await this.store.withParts(access, payment);
    const attempt = before.attempts.find(({ id }) => id === attemptId);
    if (attempt === undefined) throw new Error(`payment ${paymentId} has no attempt ${attemptId}`);

    const decided = application.decide(payment, attempt, now);
    const effect = effectOn(before, decided, application.profile);
    const changed = await this.writePayment(access, before, effect, application);
    const written = await this.writeAttempt(access, attempt, effect, application, now);
    const isAnew = isIntoReview(before, effect);
    for (const ticket of effect.tickets) await this.tickets.open(access, { id: newId('tic'), tenantId, paymentId, attemptId, refundId: attempt.refundId, subject: subjectOf(attemptId, ticket), isAnew, ...ticket });
    if (isOutOfReview(before, effect)) await this.tickets.resolve(access, { tenantId, kind: 'unresolved_outcome', attemptId, resolution: application.cause === 'people' ? 'Two people said what has become of it.' : 'The gateway said what has become of it.' });
    const after = { ...changed, attempts: before.attempts.map((other) => (other.id === attemptId ? written : other)) };
    await this.followUps.arrange(access, attempt, consequencesOf(after, written, decided.observed, effect));
    return { ...after, attempt: written, now };
  }

  private async writePayment(access: DatabaseAccess, { payment: before, attempts, refunds }: PaymentRecord, effect: Effect, application: Application): Promise<PaymentRecord> {
    const refund = effect.refund;
    const known = refund === undefined ? undefined : refunds.find(({ id }) => id === refund.id);
    const hasMoved = refund !== undefined && known !== undefined && !sameValue(known, refund);
    if (sameValue(before, effect.payment) && !hasMoved) return { payment: before, attempts, refunds };
    const now = this.clock.now();
    const payment = { ...effect.payment, version: before.version + 1, updatedAt: now };
    const moved = hasMoved ? { ...refund, version: refund.version + 1, updatedAt: now } : undefined;
    if (moved !== undefined) await this.store.updateRefund(access, moved);
    await this.store.update(access, payment);
    await this.store.insertTransitions(access, [{
      payment, from: before, cause: application.cause, attemptId: application.attemptId, detail: moved?.status ?? effect.detail, traceId: currentTraceId() ?? null,
      ...(moved === undefined ? {} : { refundId: moved.id }),
    }]);
    return { payment, attempts, refunds: refunds.map((other) => (other.id === moved?.id ? moved : other)) };
  }

  private async writeAttempt(access: DatabaseAccess, before: Attempt, effect: Effect, application: Application, now: Date): Promise<Attempt> {
    const attempt = { ...effect.attempt, nextLookUpAt: nextLookUpOf(effect, now), latencyMs: application.latencyMs ?? before.latencyMs, answer: application.answer ?? before.answer };
    if (!sameValue(before, attempt)) await this.store.updateAttempt(access, attempt, this.clock.now());
    return attempt;
  }
}

/** What a ticket is about: the attempt, and of stray money which. */
function subjectOf(attemptId: string, { kind, evidence }: Effect['tickets'][number]): string {
  return kind === 'late_capture' && typeof evidence.reference === 'string' ? `${attemptId}:${createHash('sha256').update(evidence.reference).digest('hex').slice(0, 32)}` : attemptId;
}

/** Whether people must look at the payment, or at the refund, who did not have to before. */
function isIntoReview({ payment, refunds }: PaymentRecord, effect: Effect): boolean {
  if (effect.refund === undefined) return payment.state.status !== 'needs_review' && effect.payment.state.status === 'needs_review';
  return effect.refund.status === 'needs_review' && refunds.some(({ id, status }) => id === effect.refund?.id && status !== 'needs_review');
}

/** Whether what nobody knew the end of has an end now. */
function isOutOfReview({ payment, refunds }: PaymentRecord, effect: Effect): boolean {
  if (effect.refund === undefined) return payment.state.status === 'needs_review' && effect.payment.state.status !== 'needs_review';
  return effect.refund.status !== 'needs_review' && refunds.some(({ id, status }) => id === effect.refund?.id && status === 'needs_review');
}

/** When the PSP is asked next: as planned while it is awaited; reserved money now and then, and when its time is over. */
function nextLookUpOf({ payment, attempt, refund }: Effect, now: Date): Date | null {
  const { status } = payment.state;
  if (refund !== undefined) return refund.status === 'submitted' && isOpen(attempt.status) ? attempt.nextLookUpAt : null;
  if (attempt.operation !== 'authorize') return TERMINAL.has(status) || !isOpen(attempt.status) ? null : attempt.nextLookUpAt;
  if (AWAITED.has(status)) return attempt.nextLookUpAt;
  if (status !== 'authorized') return null;
  const endsAtMs = (payment.authorizationExpiresAt?.getTime() ?? Infinity) + AFTER_ITS_END_MS;
  return new Date(endsAtMs > now.getTime() ? Math.min(endsAtMs, now.getTime() + RESERVED_EVERY_MS) : now.getTime() + ENDED_EVERY_MS);
}

/** Equal by value; bigint and Date included. */
function sameValue(a: object, b: object): boolean {
  const text = (value: object): string => JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? `${member}n` : member));
  return text(a) === text(b);
}

export const LOOK_UP_JOB = 'payments.look_up';

/** The name of the one look-up job of an attempt. */
export const lookUpJobKey = (attemptId: string): string => `look_up:${attemptId}`;

/** The job that finds out what became of an attempt; `id` is the job's if it is new. */
export function lookUpJobOf({ id: attemptId, tenantId, gateway }: Pick<Attempt, 'id' | 'tenantId' | 'gateway'>, id: string, delayMs: number): NewJob & { uniqueKey: string } {
  return { id, kind: LOOK_UP_JOB, tenantId, payload: { attemptId }, uniqueKey: lookUpJobKey(attemptId), lane: gateway, delayMs };
}

/** Arranges the attempt's look-up job: due when planned, gone when nothing is left to look up. With `job`, only while its lease is ours. */
export async function arrangeLookUp(jobs: JobQueue, access: DatabaseAccess, attempt: Attempt, dueAt: Date | null, now: Date, job?: Job): Promise<void> {
  const delayMs = dueAt === null ? null : Math.max(0, dueAt.getTime() - now.getTime());
  if (job !== undefined) await (delayMs === null ? jobs.complete(access, job) : jobs.postpone(access, job, delayMs));
  else await (delayMs === null ? jobs.drop(access, lookUpJobKey(attempt.id)) : jobs.put(access, lookUpJobOf(attempt, newId('job'), delayMs)));
}
