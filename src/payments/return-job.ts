import { Logger } from '@nestjs/common';
import { gatewayDefinition } from '../gateways/gateways.js';
import type { PaymentSnapshot } from '../gateways/contract/payment-gateway.js';
import type { Database, DatabaseAccess, Transaction } from '../platform/database/database.js';
import type { Job, JobQueue } from '../platform/jobs/job-queue.js';
import type { JobHandler } from '../platform/jobs/job-runner.js';
import { TimeWindow, type Clock } from '../shared/clock.js';
import { newId } from '../shared/id.js';
import { money, sameMoney } from '../shared/money.js';
import type { GatewayAccount, GatewayAccounts } from '../tenants/gateway-accounts.js';
import { RETURN_JOB } from './follow-ups.js';
import type { CallResult, GatewayCaller, LookUpResult, PspCall } from './gateway-caller.js';
import { planNextLookUp } from './look-up-plan.js';
import { lookUpTimesOf, type LookUpSettings } from './look-up-times.js';
import { newAttempt } from './new-attempt.js';
import type { AttemptStatus } from './payment-state.js';
import { REFUND_TRIES_MAX } from './refund-queue.js';
import type { PaymentStore } from './payment-store.js';
import type { Attempt, Payment } from './payment.js';

const DAY_MS = 24 * 60 * 60_000;

/** Money that is to go back: what the PSP calls it, and the attempt for which it moved. */
type Stray = { attempt: Attempt; account: GatewayAccount; reference: string };

/**
 * Gives back money that moved for a closed attempt, or a second time: released while it is only reserved, refunded once it was taken (architecture §5).
 * It first looks whether that has happened, and ends only when the PSP shows it. A call whose end is not known is never made again before it is sure that
 * it had no effect.
 */
export class ReturnJob implements JobHandler {
  readonly kind = RETURN_JOB;
  private readonly logger = new Logger(ReturnJob.name);

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
    // Opened before anything is looked at: what a stopped process saw is old, and its call goes out within this window or never.
    const window = TimeWindow.open(this.clock, this.settings.gatewayTimeoutMs);
    const { attempt, now: beganAt } = await this.store.attemptNow(this.database, tenantId, payload.attemptId ?? '');
    const stray: Stray = { attempt, account: await this.accounts.version(this.database, tenantId, attempt.gatewayAccountId), reference: payload.reference ?? '' };
    if (isOwn(await this.store.find(this.database, tenantId, attempt.paymentId), stray)) return this.jobs.complete(this.database, job);

    const snapshot = await this.caller.fetch(stray.account, stray.reference, this.settings.gatewayTimeoutMs);
    // However long the PSP is away, or does not show it: money is not forgotten.
    if (snapshot === 'no_answer' || snapshot === null) return this.later(job);
    const returns = await this.returnsOf(this.database, stray);
    const open = returns.findLast(({ status }) => isOpen(status));
    if (isBack(snapshot)) return this.end(job, open ?? returns.at(-1));
    if (open !== undefined) await this.findOut(open, stray, beganAt);
    // What is still on its way cannot be given back yet.
    else if (isMoney(snapshot)) await this.giveBack(job, stray, snapshot, window);
    // The PSP is asked once more: only what it shows ends this.
    return this.later(job);
  }

  /** By the schedule of look-ups; what is refused again and again is asked for once a day, with an alert. */
  private async later(job: Job): Promise<void> {
    const times = Number(job.payload.times ?? '0');
    const delayMs = Math.max(100, this.settings.scheduleMs[Math.min(times, this.settings.scheduleMs.length - 1)] ?? 0);
    await this.jobs.postpone(this.database, job, delayMs, { ...job.payload, times: String(times + 1) });
  }

  private async giveBack(job: Job, stray: Stray, snapshot: PaymentSnapshot, window: TimeWindow): Promise<void> {
    const { attempt: { id, tenantId, paymentId, gateway, gatewayAccountId, amount: asked }, account, reference } = stray;
    const operation = snapshot.status === 'authorized' && this.caller.supports(account, 'voidPayment') ? 'void' : 'refund';
    const whole = snapshot.captured ?? snapshot.amount ?? asked;
    // What somebody gave back in the panel is back already.
    const amount = { ...whole, amountMinor: whole.amountMinor - (snapshot.refunded?.amountMinor ?? 0n) };
    const attempt = newAttempt({ id: newId('att'), tenantId, paymentId, gateway, gatewayAccountId, operation, returnsAttemptId: id, amount, gatewayReference: reference, createdAt: this.clock.now() });
    const outgoingId = await this.database.transaction(async (transaction) => {
      await this.store.lock(transaction, tenantId, paymentId);
      await this.jobs.hold(transaction, job);
      const returns = await this.returnsOf(transaction, stray);
      const earlier = returns.filter((other) => other.id !== attempt.id);
      if (earlier.some(({ status }) => isOpen(status)) || isRefusedToday(earlier, this.clock.now())) return null;
      if (earlier.length === returns.length) await this.store.insertAttempt(transaction, attempt, this.settings.gatewayTimeoutMs);
      return outgoingIdOf([...earlier, attempt]);
    });
    if (outgoingId === null) return;
    const order = { attemptId: outgoingId, paymentId, reference, amount };
    const call: PspCall = operation === 'void' ? { operation, order } : { operation, order: { ...order, reason: 'duplicate' } };
    const result = await this.caller.make(account, call, window);
    const status = statusOf(result);
    if (status === 'declined' || status === 'failed') this.logger.error({ alert: true, paymentId, gateway, msg: 'a gateway did not give back money that it took without cause' });
    await this.note({ ...attempt, status, latencyMs: result.latencyMs, ...(result.answer === undefined ? {} : { answer: result.answer }) });
  }

  /** What became of a call that was made and not heard of. Absence counts only by the rule of absence; then it is made again. */
  private async findOut(open: Attempt, stray: Stray, beganAt: Date): Promise<void> {
    const { account, reference } = stray;
    const times = lookUpTimesOf(gatewayDefinition(open.gateway).profile, this.settings);
    const none = money(0n, open.amount.currency);
    const returns = await this.returnsOf(this.database, stray);
    const refund = { attemptId: outgoingIdOf(returns), paymentId: open.paymentId, reference, amount: open.amount, sentAt: open.sentAt, deadlineAt: open.deadlineAt, refundedBefore: none, otherReferences: [] };
    // The payment itself was asked just now: reserved money that is still there is to a void what absence is to a refund.
    const result: LookUpResult = open.operation === 'void' ? { kind: 'absent' } : await this.caller.lookUp(account, { attempt: open, refund }, this.settings.gatewayTimeoutMs);
    if (result.kind === 'refund') return this.note({ ...open, status: REFUND[result.refund.status], firstAbsentAt: null });
    if (result.kind !== 'absent' || open.status === 'pending') return;
    const { now } = await this.store.attemptNow(this.database, open.tenantId, open.id);
    const step = planNextLookUp(open, 'absent', 'poll', times, { beganAt, now });
    await this.note(step.conclusion === 'absent' ? { ...step.attempt, status: 'failed' } : step.attempt);
  }

  /** Writes down what was learnt. That money went back is never denied afterwards; nor is an end that was found out while this process stood still, but by that (row C7). */
  private async note(attempt: Attempt): Promise<void> {
    await this.database.transaction(async (transaction) => {
      await this.store.lock(transaction, attempt.tenantId, attempt.paymentId);
      const current = await this.store.attempt(transaction, attempt.tenantId, attempt.id);
      // Nobody looks these up by the schedule: this job does.
      if (isOpen(current.status) ? current.status !== 'succeeded' : attempt.status === 'succeeded') await this.store.updateAttempt(transaction, { ...attempt, nextLookUpAt: null }, this.clock.now());
    });
  }

  private async returnsOf(access: DatabaseAccess, stray: Stray): Promise<Attempt[]> {
    return (await this.store.attempts(access, stray.attempt.tenantId, stray.attempt.paymentId)).filter((other) => isReturnOf(stray, other));
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

/** The money that a payment stands on is nobody's to give back. */
function isOwn({ state, gatewayReference }: Payment, { reference }: Stray): boolean {
  return (state.status === 'captured' || state.status === 'authorized') && gatewayReference === reference;
}

/** Refused as often as is asked in a row: then once a day. */
function isRefusedToday(returns: readonly Attempt[], now: Date): boolean {
  const refused = returns.filter(({ status }) => status === 'declined');
  return refused.length >= REFUND_TRIES_MAX && now.getTime() - (refused.at(-1)?.createdAt.getTime() ?? 0) < DAY_MS;
}

/** Our id of the last of these at the PSP: a try after one that surely had no effect goes out under that one's id, so that one which arrives late does nothing more. */
function outgoingIdOf(returns: readonly Attempt[]): string {
  const last = returns.at(-1);
  if (last === undefined) throw new Error('nothing was given back');
  const ended = returns.findLastIndex((other, at) => at < returns.length - 1 && (other.status !== 'failed' || other.operation !== last.operation || !sameMoney(other.amount, last.amount)));
  return gatewayDefinition(last.gateway).profile.honoursIdempotencyKey ? returns[ended + 1]?.id ?? last.id : last.id;
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

function isMoney({ status }: PaymentSnapshot): boolean {
  return status === 'authorized' || status === 'captured';
}

function statusOf({ observed }: CallResult): AttemptStatus {
  if (observed.kind === 'refund') return REFUND[observed.refund.status];
  if (observed.kind === 'snapshot') return observed.snapshot.status === 'voided' ? 'succeeded' : 'unknown';
  return observed.kind === 'not_done' ? 'failed' : 'unknown';
}
