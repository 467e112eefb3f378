import { currentTraceId } from '../platform/http/trace.js';
import type { Database } from '../platform/database/database.js';
import type { Job, JobQueue } from '../platform/jobs/job-queue.js';
import type { JobHandler } from '../platform/jobs/job-runner.js';
import type { Clock } from '../shared/clock.js';
import { next } from './payment-state.js';
import type { PaymentStore } from './payment-store.js';

export const EXPIRY_JOB = 'payments.expire';

/** How long a payment may wait to be confirmed (design/api.md). */
export const UNCONFIRMED_LIFETIME_MS = 24 * 60 * 60_000;

/** Ends a payment that nobody confirmed. */
export class ExpiryJob implements JobHandler {
  readonly kind = EXPIRY_JOB;

  constructor(private readonly database: Database, private readonly store: PaymentStore, private readonly jobs: JobQueue, private readonly clock: Clock) {}

  async handle(job: Job): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const { payment: before } = await this.store.lock(transaction, job.tenantId, job.payload.paymentId ?? '');
      const state = next(before.state, 'time_out');
      if (state.status !== before.state.status) {
        const payment = {
          ...before, state, version: before.version + 1, updatedAt: this.clock.now(), tokensSealed: null, uniqueReference: null,
          failure: { code: 'expired' as const, pspCode: null, message: 'The payment was not confirmed in time.', retryable: false },
        };
        await this.store.update(transaction, payment);
        await this.store.insertTransitions(transaction, [{ payment, from: before, cause: 'schedule', attemptId: null, detail: null, traceId: currentTraceId() ?? null }]);
      }
      await this.jobs.complete(transaction, job);
    });
  }
}
