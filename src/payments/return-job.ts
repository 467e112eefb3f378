import type { PaymentSnapshot } from '../gateways/contract/payment-gateway.js';
import type { Database, Transaction } from '../platform/database/database.js';
import type { Job, JobQueue } from '../platform/jobs/job-queue.js';
import type { JobHandler } from '../platform/jobs/job-runner.js';
import { TimeWindow, type Clock } from '../shared/clock.js';
import { newId } from '../shared/id.js';
import type { GatewayAccount, GatewayAccounts } from '../tenants/gateway-accounts.js';
import { RETURN_JOB } from './follow-ups.js';
import type { CallResult, GatewayCaller, PspCall } from './gateway-caller.js';
import { newAttempt } from './new-attempt.js';
import type { AttemptStatus } from './payment-state.js';
import type { PaymentStore } from './payment-store.js';
import type { Attempt } from './payment.js';

/**
 * Gives back money that moved for a closed attempt, or a second time: released while it is only reserved, refunded once it was taken (architecture §5).
 * It first looks whether that has happened, and ends only when the PSP shows it. Asking again is safe: all of it goes back, and no PSP gives back more
 * than it took.
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
    private readonly settings: { gatewayTimeoutMs: number; lagMs: number },
  ) {}

  async handle(job: Job): Promise<void> {
    const { tenantId, payload } = job;
    const reference = payload.reference ?? '';
    const stray = await this.store.attempt(this.database, tenantId, payload.attemptId ?? '');
    const account = await this.accounts.version(this.database, tenantId, stray.gatewayAccountId);
    const snapshot = await this.caller.fetch(account, reference, this.settings.gatewayTimeoutMs);
    if (snapshot === null || snapshot === 'no_answer') throw new Error('the gateway does not show the money that is to go back');
    if (isBack(snapshot)) {
      await this.database.transaction(async (transaction) => {
        await this.close(transaction, stray, reference);
        await this.jobs.complete(transaction, job);
      });
      return;
    }
    await this.giveBack(stray, account, reference, snapshot, job);
  }

  private async giveBack(stray: Attempt, account: GatewayAccount, reference: string, snapshot: PaymentSnapshot, job: Job): Promise<void> {
    const { tenantId, paymentId } = stray;
    const operation = snapshot.status === 'authorized' && this.caller.supports(account, 'voidPayment') ? 'void' : 'refund';
    const window = TimeWindow.open(this.clock, this.settings.gatewayTimeoutMs);
    const amount = snapshot.captured ?? snapshot.amount ?? stray.amount;
    const attempt = newAttempt({
      id: newId('att'), tenantId, paymentId, gateway: stray.gateway, gatewayAccountId: stray.gatewayAccountId, operation, returnsAttemptId: stray.id,
      amount, gatewayReference: reference, createdAt: this.clock.now(),
    });
    await this.database.transaction(async (transaction) => {
      await this.store.lock(transaction, tenantId, paymentId);
      const known = await this.store.attempts(transaction, tenantId, paymentId);
      if (!known.some(({ id }) => id === attempt.id)) await this.store.insertAttempt(transaction, attempt, this.settings.gatewayTimeoutMs);
    });
    const order = { attemptId: attempt.id, paymentId, reference, amount };
    const call: PspCall = operation === 'void' ? { operation, order } : { operation, order: { ...order, reason: 'duplicate' } };
    const result = await this.caller.make(account, call, window);
    await this.database.transaction(async (transaction) => {
      await this.store.lock(transaction, tenantId, paymentId);
      const observed = { ...attempt, status: statusOf(result), latencyMs: result.latencyMs, ...(result.answer === undefined ? {} : { answer: result.answer }) };
      await this.store.updateAttempt(transaction, observed, this.clock.now());
    });
    if (result.observed.kind === 'not_done') throw new Error('the gateway did not take the money back');
    // The PSP is asked once more: only what it shows ends this.
    await this.jobs.postpone(this.database, job, this.settings.lagMs);
  }

  /** The PSP shows that the money is back, whichever of our calls did it. */
  private async close(transaction: Transaction, stray: Attempt, reference: string): Promise<void> {
    await this.store.lock(transaction, stray.tenantId, stray.paymentId);
    const attempts = await this.store.attempts(transaction, stray.tenantId, stray.paymentId);
    const last = attempts.findLast(({ returnsAttemptId, gatewayReference }) => returnsAttemptId === stray.id && gatewayReference === reference);
    if (last !== undefined && last.status !== 'succeeded') await this.store.updateAttempt(transaction, { ...last, status: 'succeeded' }, this.clock.now());
  }
}

/** Nothing of it is with the merchant, or about to be. */
function isBack({ status, captured, refunded, amount }: PaymentSnapshot): boolean {
  if (status === 'captured') return (refunded?.amountMinor ?? 0n) >= ((captured ?? amount)?.amountMinor ?? 0n);
  return status !== 'authorized' && status !== 'pending' && status !== 'requires_action';
}

function statusOf({ observed }: CallResult): AttemptStatus {
  if (observed.kind === 'refund') return ({ succeeded: 'succeeded', pending: 'pending', failed: 'declined' } as const)[observed.refund.status];
  if (observed.kind === 'snapshot') return observed.snapshot.status === 'voided' ? 'succeeded' : 'unknown';
  return observed.kind === 'not_done' ? 'failed' : 'unknown';
}
