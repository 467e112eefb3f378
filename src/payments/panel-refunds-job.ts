import type { Database, Transaction } from '../platform/database/database.js';
import { currentTraceId } from '../platform/http/trace.js';
import type { Job, JobQueue } from '../platform/jobs/job-queue.js';
import type { JobHandler } from '../platform/jobs/job-runner.js';
import type { Clock } from '../shared/clock.js';
import { newId } from '../shared/id.js';
import { money } from '../shared/money.js';
import type { GatewayAccounts } from '../tenants/gateway-accounts.js';
import { REFUND_CHECK_JOB } from './follow-ups.js';
import type { GatewayCaller } from './gateway-caller.js';
import type { PaymentStore } from './payment-store.js';
import type { Payment } from './payment.js';
import { refundsNotExplained } from './refund-queue.js';
import type { Refund } from './refund.js';

/**
 * Looks a second time at money that the PSP shows as given back and that none of our refunds explains; what is still not explained becomes a refund of
 * origin gateway, done in the PSP's panel (architecture §5).
 */
export class PanelRefundsJob implements JobHandler {
  readonly kind = REFUND_CHECK_JOB;

  constructor(
    private readonly database: Database,
    private readonly store: PaymentStore,
    private readonly accounts: GatewayAccounts,
    private readonly caller: GatewayCaller,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
    private readonly lookUpWithinMs: number,
    /** Delays between tries. */
    private readonly scheduleMs: readonly number[],
  ) {}

  async handle(job: Job): Promise<void> {
    const { tenantId, payload } = job;
    const seenMinor = BigInt(payload.seenMinor ?? '0');
    const attempt = await this.store.attempt(this.database, tenantId, payload.attemptId ?? '');
    const account = await this.accounts.version(this.database, tenantId, attempt.gatewayAccountId);
    const snapshot = attempt.gatewayReference === null ? null : await this.caller.fetch(account, attempt.gatewayReference, this.lookUpWithinMs);
    // It is asked again, however long it is away: nothing else may tell of this money.
    if (snapshot === 'no_answer' || snapshot === null) return this.later(job);

    const id = newId('rfd');
    await this.database.transaction(async (transaction) => {
      const { payment } = await this.store.lock(transaction, tenantId, attempt.paymentId);
      const record = await this.store.withParts(transaction, payment);
      const notExplained = refundsNotExplained(record, snapshot.refunded?.amountMinor ?? 0n);
      const foundMinor = notExplained < seenMinor ? notExplained : seenMinor;
      if (foundMinor > 0n && !record.refunds.some((refund) => refund.id === id)) await this.add(transaction, payment, id, foundMinor);
      await this.jobs.complete(transaction, job);
    });
  }

  private async later(job: Job): Promise<void> {
    const times = Number(job.payload.times ?? '0');
    await this.jobs.postpone(this.database, job, this.scheduleMs[Math.min(times, this.scheduleMs.length - 1)] ?? 0, { ...job.payload, times: String(times + 1) });
  }

  private async add(transaction: Transaction, payment: Payment, id: string, amountMinor: bigint): Promise<void> {
    const now = this.clock.now();
    const refund: Refund = {
      id, tenantId: payment.tenantId, paymentId: payment.id, version: 1, status: 'succeeded', origin: 'gateway', amount: money(amountMinor, payment.amount.currency),
      reason: null, failure: null, gatewayReference: null, createdAt: now, updatedAt: now,
    };
    const changed: Payment = { ...payment, refundCount: payment.refundCount + 1, version: payment.version + 1, updatedAt: now };
    await this.store.insertRefund(transaction, refund);
    await this.store.update(transaction, changed);
    await this.store.insertTransitions(transaction, [{ payment: changed, from: payment, cause: 'look_up', attemptId: null, refundId: id, detail: refund.status, traceId: currentTraceId() ?? null }]);
  }
}
