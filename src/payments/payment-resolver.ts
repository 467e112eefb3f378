import type { PaymentSnapshot, RefundReference } from '../gateways/contract/payment-gateway.js';
import { gatewayDefinition } from '../gateways/gateways.js';
import type { Database, Transaction } from '../platform/database/database.js';
import type { Job, JobQueue } from '../platform/jobs/job-queue.js';
import { money } from '../shared/money.js';
import type { GatewayAccounts } from '../tenants/gateway-accounts.js';
import type { GatewayCaller, LookUpResult } from './gateway-caller.js';
import { nextLookUpDueAt, planNextLookUp, type LookUpMoment, type LookUpTimes } from './look-up-plan.js';
import { lookUpTimesOf, type LookUpSettings } from './look-up-times.js';
import type { Observed } from './observed.js';
import { arrangeLookUp, type Applied, type PaymentApplier } from './payment-applier.js';
import type { PaymentStore } from './payment-store.js';
import type { Attempt, Payment } from './payment.js';
import { outgoingIdOf } from './refund-queue.js';
import { refundedOf } from './refund.js';

/** What a look-up led to, and whether the PSP answered at all. */
export type Resolution = Applied & { answered: boolean; shown: PaymentSnapshot['status'] | 'refund' | 'absent' | 'no_answer' };

/** Finds out from the PSP what became of an attempt, and applies it. */
export class PaymentResolver {
  constructor(
    private readonly database: Database,
    private readonly store: PaymentStore,
    private readonly accounts: GatewayAccounts,
    private readonly caller: GatewayCaller,
    private readonly applier: PaymentApplier,
    private readonly jobs: JobQueue,
    private readonly settings: LookUpSettings,
  ) {}

  /**
   * Looks the attempt up once, within `withinMs`. With `job`, everything is written only while its lease is ours. @throws LeaseLost
   * A webhook is only a reason to ask: `reference` is what it calls the payment, and an answer that shows none changes nothing, as the call may still run.
   */
  async lookUp(
    tenantId: string, attemptId: string, withinMs: number,
    { job, webhook, also }: { job?: Job; webhook?: { reference?: string }; /** What belongs to the same transaction. */ also?: (transaction: Transaction, resolved: Applied) => Promise<void> } = {},
  ): Promise<Resolution> {
    const { attempt, now: beganAt } = await this.store.attemptNow(this.database, tenantId, attemptId);
    const account = await this.accounts.version(this.database, tenantId, attempt.gatewayAccountId);
    const { profile } = gatewayDefinition(attempt.gateway);
    const times = lookUpTimesOf(profile, this.settings);
    const refund = attempt.refundId === null ? undefined : await this.refundReference(attempt);

    const result = await this.caller.lookUp(account, { attempt, refund, reference: webhook?.reference }, withinMs);
    const leftAloneMs = result.kind === 'no_answer' ? result.retryAfterMs ?? 0 : 0;
    if (leftAloneMs > 0) await this.store.leaveAlone(this.database, attempt, leftAloneMs);
    if (webhook !== undefined && (result.kind === 'absent' || result.kind === 'no_answer')) return this.unchanged(attempt, beganAt, result);

    const applied = await this.database.transaction(async (transaction) => {
      const application = {
        tenantId, paymentId: attempt.paymentId, attemptId, cause: webhook === undefined ? 'look_up' as const : 'webhook' as const, profile,
        decide: (payment: Payment, current: Attempt, now: Date) => decide(result, payment, current, times, { beganAt, now }),
        ...('answer' in result && result.answer !== undefined ? { answer: result.answer } : {}),
      };
      const resolved = await this.applier.apply(transaction, application);
      await arrangeLookUp(this.jobs, transaction, resolved.attempt, notBefore(nextLookUpDueAt(resolved.attempt, times, resolved.now), resolved.now, leftAloneMs), resolved.now, job);
      await also?.(transaction, resolved);
      return resolved;
    });
    return { ...applied, answered: result.kind !== 'no_answer', shown: result.kind === 'snapshot' ? result.snapshot.status : result.kind };
  }

  private async unchanged(attempt: Attempt, now: Date, { kind }: { kind: 'absent' | 'no_answer' }): Promise<Resolution> {
    return { ...await this.store.record(this.database, attempt.tenantId, attempt.paymentId), attempt, now, answered: kind !== 'no_answer', shown: kind };
  }

  /** What tells this refund from the payment's others. */
  private async refundReference(attempt: Attempt): Promise<RefundReference> {
    const { payment, attempts, refunds } = await this.store.record(this.database, attempt.tenantId, attempt.paymentId);
    const others = refunds.filter(({ id }) => id !== attempt.refundId);
    return {
      attemptId: outgoingIdOf({ attempts }, attempt.refundId, attempt.id, gatewayDefinition(attempt.gateway).profile.honoursIdempotencyKey), paymentId: payment.id, reference: attempt.gatewayReference ?? '', amount: attempt.amount, sentAt: attempt.sentAt, deadlineAt: attempt.deadlineAt,
      refundedBefore: money(refundedOf(others).succeededMinor, payment.amount.currency), otherReferences: others.flatMap(({ gatewayReference }) => gatewayReference ?? []),
    };
  }
}

/** A PSP that asks to be left alone is (row A8). */
function notBefore(dueAt: Date | null, now: Date, leftAloneMs: number): Date | null {
  return dueAt === null ? null : new Date(Math.max(dueAt.getTime(), now.getTime() + leftAloneMs));
}

/** How a payment looks that no capture or void has reached. */
const UNTOUCHED: ReadonlySet<PaymentSnapshot['status']> = new Set<PaymentSnapshot['status']>(['authorized', 'requires_action']);

/** What people are for when the PSP does not tell. Reserved money is asked about for as long as it is there; what the PSP has taken in it will end. */
function atEndOf({ state }: Payment, { operation, status }: Attempt): 'park' | 'report' | 'poll' {
  if (operation === 'refund') return status === 'pending' ? 'poll' : 'park';
  if (operation !== 'authorize') return 'report';
  return state.status === 'processing' && state.processingReason !== 'pending_at_gateway' ? 'park' : 'poll';
}

/** What a look-up means for the payment, under its lock. */
function decide(result: LookUpResult, payment: Payment, attempt: Attempt, times: LookUpTimes, moment: LookUpMoment): { observed: Observed; attempt: Attempt } {
  if (result.kind === 'refund') return { observed: result, attempt: planNextLookUp(attempt, 'pending', 'poll', times, moment).attempt };
  if (result.kind === 'snapshot' && !(attempt.operation !== 'authorize' && UNTOUCHED.has(result.snapshot.status))) {
    return { observed: { kind: 'snapshot', snapshot: result.snapshot }, attempt: planNextLookUp(attempt, 'pending', 'poll', times, moment).attempt };
  }
  // Money that is only reserved still, or waited for: to a capture or a void that is what absence is to a payment, and no more proof at once.
  const shown = result.kind === 'snapshot' ? 'absent' : result.kind;
  // What the PSP has taken in did arrive: that it is not shown now is no evidence that it never did.
  const found = shown === 'absent' && attempt.operation === 'refund' && attempt.status === 'pending' ? 'no_answer' : shown;
  const step = planNextLookUp(attempt, found, atEndOf(payment, attempt), times, moment);
  if (step.conclusion !== 'wait') return { observed: { kind: step.conclusion }, attempt: step.attempt };
  return { observed: { kind: 'unknown', detail: result.kind === 'no_answer' ? result.detail : `the PSP shows no ${attempt.operation === 'authorize' ? 'payment' : attempt.operation} yet` }, attempt: { ...step.attempt, nextLookUpAt: notBefore(step.attempt.nextLookUpAt, moment.now, result.kind === 'no_answer' ? result.retryAfterMs ?? 0 : 0) } };
}
