import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { SpanKind } from '@opentelemetry/api';
import { fullJitterMs } from '../../shared/backoff.js';
import { newId } from '../../shared/id.js';
import { runWithTrace } from '../http/trace.js';
import type { Database } from '../database/database.js';
import { isUnavailable } from '../database/database-errors.js';
import { failActiveSpan, inSpan } from '../tracing/span.js';
import { JobQueue, LeaseLost, type Job } from './job-queue.js';

/** Does the jobs of one kind. At least once: it may be called again for work that was done. It completes or postpones the job in its own transaction. */
export interface JobHandler {
  readonly kind: string;
  /** There is always one job of this kind, whoever runs it: made when a runner starts, and never completed, only postponed. */
  readonly isRecurring?: boolean;
  /** How long after it was made a recurring one is due first; at once unless it says so. */
  readonly firstAfterMs?: number;
  handle(job: Job): Promise<void>;
}

export type JobRunnerOptions = { pollMs: number; leaseMs: number };

/** Jobs that one process has in hand; those of one claim; and those of one lane, after which no more of it are claimed. Mostly they wait for gateways. */
const CONCURRENT_MAX = 32;
const CLAIMED_MAX = 8;
const LANE_MAX = 8;
const FAILURES_MAX = 20;
const RETRY_BASE_MS = 1_000;
const RETRY_CAP_MS = 5 * 60_000;
/** When a job is tried again that the database had no time for. */
const DEFERRED_MS = 5_000;
/** While jobs cannot be claimed, the database is asked this much less often. */
const OUTAGE_PAUSE_MS = 2_000;

/** Claims due jobs and hands them to their handlers, a bounded number at once. */
export class JobRunner {
  private readonly logger = new Logger(JobRunner.name);
  private readonly handlers: Map<string, JobHandler>;
  private readonly running = new Set<Promise<void>>();
  private readonly inLanes = new Map<string | null, number>();
  private recurringAreMade = false;
  private readonly stopping = new AbortController();
  private polling: Promise<void> | undefined;

  constructor(private readonly database: Database, private readonly queue: JobQueue, handlers: readonly JobHandler[], private readonly options: JobRunnerOptions) {
    this.handlers = new Map(handlers.map((handler) => [handler.kind, handler]));
  }

  start(): void {
    this.polling ??= this.poll();
  }

  /** Claims nothing more and waits for what is in hand, at most `withinMs`. */
  async stop(withinMs: number): Promise<void> {
    this.stopping.abort();
    await Promise.race([this.ended(), sleep(withinMs, undefined, { ref: false })]);
  }

  /** Jobs of a claim that was under way are in hand only when it is over. */
  private async ended(): Promise<void> {
    await this.polling;
    await Promise.all(this.running);
  }

  private async poll(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const claimed = await this.claim(Math.min(CLAIMED_MAX, CONCURRENT_MAX - this.running.size));
      for (const job of claimed ?? []) this.begin(job);
      if (claimed === null) await this.pause(Math.max(OUTAGE_PAUSE_MS, this.options.pollMs));
      else if (this.running.size >= CONCURRENT_MAX) await Promise.race(this.running);
      else if (claimed.length === 0) await this.pause(this.options.pollMs);
    }
  }

  /** Null when the database does not give any. */
  private async claim(limit: number): Promise<Job[] | null> {
    try {
      if (!this.recurringAreMade) await this.makeRecurring();
      return await this.queue.claim(limit, this.options.leaseMs, this.fullLanes());
    } catch (error) {
      this.logger.warn({ err: error, msg: 'jobs cannot be claimed' });
      return null;
    }
  }

  /** One of each kind for all runners together: the unique key sees to it. Those that are there are left alone: a process that stands still may hold their rows. */
  private async makeRecurring(): Promise<void> {
    const recurring = [...this.handlers.values()].filter(({ isRecurring }) => isRecurring === true);
    const made = await this.queue.alive(this.database, recurring.map(({ kind }) => kind));
    for (const { kind, firstAfterMs = 0 } of recurring) {
      if (!made.has(kind)) await this.queue.enqueue(this.database, { id: newId('job'), kind, tenantId: '', payload: {}, uniqueKey: kind, delayMs: firstAfterMs });
    }
    this.recurringAreMade = true;
  }

  private async pause(pauseMs: number): Promise<void> {
    await sleep(pauseMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }

  /** A gateway that stands still takes the slots of its lane and no others. */
  private fullLanes(): string[] {
    return [...this.inLanes].flatMap(([lane, count]) => (lane !== null && count >= LANE_MAX ? [lane] : []));
  }

  private begin(job: Job): void {
    this.inLanes.set(job.lane, (this.inLanes.get(job.lane) ?? 0) + 1);
    const work = runWithTrace(job.traceId ?? job.id, () => inSpan({ name: `job ${job.kind}`, kind: SpanKind.CONSUMER, attributes: { 'smartpay.job.kind': job.kind, 'smartpay.job.attempts': job.attempts } }, () => this.run(job))).finally(() => {
      this.running.delete(work);
      this.inLanes.set(job.lane, (this.inLanes.get(job.lane) ?? 1) - 1);
    });
    this.running.add(work);
  }

  private async run(job: Job): Promise<void> {
    try {
      const handler = this.handlers.get(job.kind);
      if (handler === undefined) throw new Error(`no handler for jobs of kind ${job.kind}`);
      // It may be what ends the process each time: then its failure was never recorded.
      if (job.attempts > FAILURES_MAX && handler.isRecurring !== true) throw new Error(`it was begun ${FAILURES_MAX} times, and never came to an end`);
      await handler.handle(job);
    } catch (error) {
      if (error instanceof LeaseLost) this.logger.warn({ jobId: job.id, kind: job.kind, msg: 'a job outlived its lease; nothing of it was written' });
      else if (isUnavailable(error)) await this.defer(job, error);
      else await this.recordFailure(job, error);
    }
  }

  /** The database is in trouble, or another holds a row for long: that says nothing against the job, which must be there when it is over. */
  private async defer(job: Job, error: unknown): Promise<void> {
    this.logger.warn({ err: error, jobId: job.id, kind: job.kind, msg: 'a job waits for the database' });
    await this.queue.defer(job, nameOf(error), DEFERRED_MS).catch((secondError: unknown) => {
      this.logger.warn({ err: secondError, jobId: job.id, msg: 'a job that waits for the database could not be put off; its lease will end' });
    });
  }

  private async recordFailure(job: Job, error: unknown): Promise<void> {
    const isTooMuch = job.attempts >= FAILURES_MAX;
    // One that always is, is tried for ever: laid aside, its work would never be done again.
    const dead = isTooMuch && this.handlers.get(job.kind)?.isRecurring !== true;
    failActiveSpan(dead ? 'job_laid_aside' : 'job_failed');
    this.logger.error({ err: error, jobId: job.id, kind: job.kind, attempts: job.attempts, alert: isTooMuch, msg: dead ? 'a job was laid aside' : 'a job failed' });
    try {
      await this.queue.fail(job, nameOf(error), dead ? null : fullJitterMs(job.attempts, RETRY_BASE_MS, RETRY_CAP_MS));
    } catch (secondError) {
      this.logger.warn({ err: secondError, jobId: job.id, msg: 'the failure of a job could not be stored; its lease will end' });
    }
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'error';
}
