import { gatewayDefinition } from '../gateways/gateways.js';
import type { PaymentSnapshot } from '../gateways/contract/payment-gateway.js';
import type { Database, Transaction } from '../platform/database/database.js';
import type { Job, JobQueue } from '../platform/jobs/job-queue.js';
import type { JobHandler } from '../platform/jobs/job-runner.js';
import { TimeWindow, type Clock } from '../shared/clock.js';
import { newId } from '../shared/id.js';
import { money } from '../shared/money.js';
import type { GatewayAccount, GatewayAccounts } from '../tenants/gateway-accounts.js';
import { RETURN_JOB } from './follow-ups.js';
import type { CallResult, GatewayCaller, LookUpResult, PspCall } from './gateway-caller.js';
import { planNextLookUp } from './look-up-plan.js';
import { lookUpTimesOf, type LookUpSettings } from './look-up-times.js';
import { newAttempt } from './new-attempt.js';
import type { AttemptStatus } from './payment-state.js';
import { REFUND_TRIES_MAX } from './refund-queue.js';
import type { PaymentStore } from './payment-store.js';
import type { Attempt } from './payment.js';

/** Money that is to go back: what the PSP calls it, and the attempt for which it moved. */
type Stray = { attempt: Attempt; account: GatewayAccount; reference: string };

/**
 * Gives back money that moved for a closed attempt, or a second time: released while it is only reserved, refunded once it was taken (architecture §5).
 * It first looks whether that has happened, and ends only when the PSP shows it. A call whose end is not known is never made again before it is sure that
 * it had no effect.
 */
export class ReturnJob implements JobHandler {
  readonly kind = RETURN_JOB;

  constructor(
    private readonly database: Database,
    private readonly store: PaymentStore,
    private readonly accounts: GatewayAccounts,
    private readonly caller: GatewayCaller,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
    private readonly settings: LookUpSettings & { gatewayTimeoutMs: number },
  ) {}

  async handle(job: Job): Promise<void> {
    const { tenantId, payload } = job;
    const { attempt, now: beganAt } = await this.store.attemptNow(this.database, tenantId, payload.attemptId ?? '');
    const stray: Stray = { attempt, account: await this.accounts.version(this.database, tenantId, attempt.gatewayAccountId), reference: payload.reference ?? '' };
    const snapshot = await this.caller.fetch(stray.account, stray.reference, this.settings.gatewayTimeoutMs);
    const times = lookUpTimesOf(gatewayDefinition(attempt.gateway).profile, this.settings);
    // However long the PSP is away: money is not forgotten.
    if (snapshot === 'no_answer') return this.jobs.postpone(this.database, job, times.scheduleMs.at(-1) ?? times.lagMs);
    if (snapshot === null) throw new Error('the gateway does not show the money that is to go back');

    const returns = (await this.store.attempts(this.database, tenantId, attempt.paymentId)).filter((other) => isReturnOf(stray, other));
    const last = returns.findLast(({ status }) => isOpen(status)) ?? returns.at(-1);
    if (isBack(snapshot)) return this.end(job, last);
    if (last !== undefined && isOpen(last.status)) await this.findOut(last, stray, beganAt);
    // Refused again and again: the job fails, waits longer each time, and is laid aside with an alert.
    else if (returns.length >= REFUND_TRIES_MAX) throw new Error('the gateway does not give the money back');
    else await this.giveBack(stray, snapshot);
    // The PSP is asked once more: only what it shows ends this.
    await this.jobs.postpone(this.database, job, Math.max(times.lagMs, 100));
  }

  private async giveBack({ attempt: { id, tenantId, paymentId, gateway, gatewayAccountId, amount: asked }, account, reference }: Stray, snapshot: PaymentSnapshot): Promise<void> {
    const operation = snapshot.status === 'authorized' && this.caller.supports(account, 'voidPayment') ? 'void' : 'refund';
    const window = TimeWindow.open(this.clock, this.settings.gatewayTimeoutMs);
    const amount = snapshot.captured ?? snapshot.amount ?? asked;
    const attempt = newAttempt({ id: newId('att'), tenantId, paymentId, gateway, gatewayAccountId, operation, returnsAttemptId: id, amount, gatewayReference: reference, createdAt: this.clock.now() });
    await this.database.transaction(async (transaction) => {
      await this.store.lock(transaction, tenantId, paymentId);
      const known = await this.store.attempts(transaction, tenantId, paymentId);
      if (!known.some((other) => other.id === attempt.id)) await this.store.insertAttempt(transaction, attempt, this.settings.gatewayTimeoutMs);
    });
    const order = { attemptId: attempt.id, paymentId, reference, amount };
    const call: PspCall = operation === 'void' ? { operation, order } : { operation, order: { ...order, reason: 'duplicate' } };
    const result = await this.caller.make(account, call, window);
    await this.note({ ...attempt, status: statusOf(result), latencyMs: result.latencyMs, ...(result.answer === undefined ? {} : { answer: result.answer }) });
    if (result.observed.kind === 'not_done') throw new Error('the gateway did not take the money back');
  }

  /** What became of a call that was made and not heard of. Absence counts only by the rule of absence; then it is made again. */
  private async findOut(open: Attempt, { account, reference }: Stray, beganAt: Date): Promise<void> {
    const times = lookUpTimesOf(gatewayDefinition(open.gateway).profile, this.settings);
    const none = money(0n, open.amount.currency);
    const refund = { attemptId: open.id, paymentId: open.paymentId, reference, amount: open.amount, sentAt: open.sentAt, deadlineAt: open.deadlineAt, refundedBefore: none, otherReferences: [] };
    // The payment itself was asked just now: reserved money that is still there is to a void what absence is to a refund.
    const result: LookUpResult = open.operation === 'void' ? { kind: 'absent' } : await this.caller.lookUp(account, { attempt: open, refund }, this.settings.gatewayTimeoutMs);
    if (result.kind === 'refund') return this.note({ ...open, status: REFUND[result.refund.status], firstAbsentAt: null });
    if (result.kind !== 'absent' || open.status === 'pending') return;
    const { now } = await this.store.attemptNow(this.database, open.tenantId, open.id);
    const step = planNextLookUp(open, 'absent', false, times, { beganAt, now });
    await this.note(step.conclusion === 'absent' ? { ...step.attempt, status: 'failed' } : step.attempt);
  }

  private async note(attempt: Attempt): Promise<void> {
    await this.database.transaction(async (transaction) => {
      await this.store.lock(transaction, attempt.tenantId, attempt.paymentId);
      // Nobody looks these up by the schedule: this job does.
      await this.store.updateAttempt(transaction, { ...attempt, nextLookUpAt: null }, this.clock.now());
    });
  }

  /** The PSP shows that the money is back, whichever of our calls did it. */
  private async end(job: Job, last: Attempt | undefined): Promise<void> {
    await this.database.transaction(async (transaction: Transaction) => {
      if (last !== undefined && last.status !== 'succeeded') {
        await this.store.lock(transaction, last.tenantId, last.paymentId);
        await this.store.updateAttempt(transaction, { ...last, status: 'succeeded', nextLookUpAt: null }, this.clock.now());
      }
      await this.jobs.complete(transaction, job);
    });
  }
}

const REFUND = { succeeded: 'succeeded', pending: 'pending', failed: 'declined' } as const;

function isReturnOf({ attempt, reference }: Stray, { returnsAttemptId, gatewayReference }: Attempt): boolean {
  return returnsAttemptId === attempt.id && gatewayReference === reference;
}

/** A refund that succeeded, too: the PSP's books may show it only later. */
function isOpen(status: AttemptStatus): boolean {
  return status === 'sent' || status === 'pending' || status === 'unknown' || status === 'succeeded';
}

/** Nothing of it is with the merchant, or about to be. */
function isBack({ status, captured, refunded, amount }: PaymentSnapshot): boolean {
  if (status === 'captured') return (refunded?.amountMinor ?? 0n) >= ((captured ?? amount)?.amountMinor ?? 0n);
  return status !== 'authorized' && status !== 'pending' && status !== 'requires_action';
}

function statusOf({ observed }: CallResult): AttemptStatus {
  if (observed.kind === 'refund') return REFUND[observed.refund.status];
  if (observed.kind === 'snapshot') return observed.snapshot.status === 'voided' ? 'succeeded' : 'unknown';
  return observed.kind === 'not_done' ? 'failed' : 'unknown';
}
