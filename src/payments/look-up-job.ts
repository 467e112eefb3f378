import type { Database } from '../platform/database/database.js';
import type { IdempotencyKeys } from '../platform/idempotency/idempotency-keys.js';
import type { Job, JobQueue } from '../platform/jobs/job-queue.js';
import type { JobHandler } from '../platform/jobs/job-runner.js';
import type { KeyTakeover } from './key-takeover.js';
import { LOOK_UP_JOB } from './payment-applier.js';
import type { PaymentResolver } from './payment-resolver.js';

/**
 * The one job of every attempt whose end is not known. It is written before the PSP is called, due when the request's lease ends: so it also
 * finishes requests whose process died. Afterwards it looks up by the schedule.
 */
export class LookUpJob implements JobHandler {
  readonly kind = LOOK_UP_JOB;

  constructor(
    private readonly database: Database,
    private readonly keys: IdempotencyKeys,
    private readonly takeover: KeyTakeover,
    private readonly resolver: PaymentResolver,
    private readonly jobs: JobQueue,
    private readonly lookUpWithinMs: number,
  ) {}

  async handle(job: Job): Promise<void> {
    const attemptId = job.payload.attemptId ?? '';
    const record = await this.keys.findByAttempt(this.database, job.tenantId, attemptId);
    if (record === null || record.answer !== null) {
      await this.resolver.lookUp(job.tenantId, attemptId, this.lookUpWithinMs, { job });
    } else if (record.leaseRemainingMs > 0) {
      await this.jobs.postpone(this.database, job, record.leaseRemainingMs);
    } else if (await this.takeover.finish(job.tenantId, record, job) === null) {
      // The client came back and took the key over at the same moment.
      await this.jobs.postpone(this.database, job, this.lookUpWithinMs);
    }
  }
}
