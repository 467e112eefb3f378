import { gatewayDefinition } from '../gateways/gateways.js';
import type { Database } from '../platform/database/database.js';
import type { Job, JobQueue } from '../platform/jobs/job-queue.js';
import type { JobHandler } from '../platform/jobs/job-runner.js';
import { TimeWindow, type Clock } from '../shared/clock.js';
import { newId } from '../shared/id.js';
import { REFUND_QUEUE_JOB } from './follow-ups.js';
import type { GatewayCaller } from './gateway-caller.js';
import { nextLookUpDueAt, planFirstLookUp } from './look-up-plan.js';
import { lookUpTimesOf, type LookUpSettings } from './look-up-times.js';
import { arrangeLookUp, type PaymentApplier } from './payment-applier.js';
import type { PaymentStore } from './payment-store.js';
import type { RefundBeginning } from './refund-beginning.js';
import { nextToSend } from './refund-queue.js';

/** Sends the next refund of a payment that waits: for another of its payment to end, or for its PSP to be there again. */
export class RefundQueueJob implements JobHandler {
  readonly kind = REFUND_QUEUE_JOB;

  constructor(
    private readonly database: Database,
    private readonly store: PaymentStore,
    private readonly beginning: RefundBeginning,
    private readonly caller: GatewayCaller,
    private readonly applier: PaymentApplier,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
    private readonly settings: LookUpSettings & { gatewayTimeoutMs: number },
  ) {}

  async handle(job: Job): Promise<void> {
    const attemptId = newId('att');
    const jobId = newId('job');
    const { tenantId } = job;
    const paymentId = job.payload.paymentId ?? '';
    // Opened before the transaction: however long a commit or a stopped process takes, the call goes out within this window or never.
    const window = TimeWindow.open(this.clock, this.settings.gatewayTimeoutMs);
    let begunBefore: Awaited<ReturnType<RefundBeginning['send']>> | null = null;
    const begun = await this.database.transaction(async (transaction) => {
      const { payment } = await this.store.lock(transaction, tenantId, paymentId);
      const record = await this.store.withParts(transaction, payment);
      // The connection was lost at COMMIT, and that COMMIT stood.
      if (record.attempts.some(({ id }) => id === attemptId)) return begunBefore;
      // What comes of this call, or of the one that is in doubt, brings the job back if there are more.
      await this.jobs.complete(transaction, job);
      const refund = nextToSend(record);
      begunBefore = refund === undefined ? null : await this.beginning.send(transaction, record, refund, attemptId, jobId);
      return begunBefore;
    });
    if (begun === null) return;

    const { call } = begun;
    const result = await this.caller.make(call.account, call, window);
    const { profile } = gatewayDefinition(call.account.gateway);
    const times = lookUpTimesOf(profile, this.settings);
    await this.database.transaction(async (transaction) => {
      const applied = await this.applier.apply(transaction, {
        tenantId, paymentId, attemptId, cause: 'reply', profile, latencyMs: result.latencyMs, ...(result.answer === undefined ? {} : { answer: result.answer }),
        decide: (_payment, attempt, now) => ({ observed: result.observed, attempt: planFirstLookUp(attempt, times, now) }),
      });
      await arrangeLookUp(this.jobs, transaction, applied.attempt, nextLookUpDueAt(applied.attempt, times, applied.now), applied.now);
    });
  }
}
