import { createHash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { GatewayEvents } from '../../payments/gateway-events.js';
import type { Database, DatabaseAccess } from '../../platform/database/database.js';
import { databaseNow } from '../../platform/database/time.js';
import type { Job, JobQueue, NewJob } from '../../platform/jobs/job-queue.js';
import type { JobHandler } from '../../platform/jobs/job-runner.js';
import type { WebhookStatus } from './entities/webhook-event.entity.js';

export const WEBHOOK_JOB = 'webhooks.process';

/** What the events of one payment have in common: together they ask the PSP once. */
export type Subject = { tenantId: string; gateway: string; reference: string | null; ourReference: string | null; refundReference: string | null };

/** The job for all events of a subject. */
export function processingOf({ jobId, tenantId, ...subject }: Subject & { jobId: string }): NewJob & { uniqueKey: string } {
  const { gateway, reference, ourReference, refundReference } = subject;
  // The PSP's name of a payment may be longer than a unique key.
  const name = createHash('sha256').update(JSON.stringify([tenantId, gateway, reference ?? ourReference ?? refundReference])).digest('hex');
  const payload = Object.fromEntries(Object.entries(subject).filter((entry): entry is [string, string] => entry[1] !== null));
  return { id: jobId, kind: WEBHOOK_JOB, tenantId, payload, uniqueKey: `webhook:${name}`, lane: gateway, delayMs: 0 };
}

/** How often an event of a payment that we do not know is tried: it may come before the payment is stored (row B3). */
const UNKNOWN_TRIES_MAX = 4;
/** How often the PSP is asked in vain. */
const SILENT_TRIES_MAX = 15;
/** The same for what nobody proved to come from the PSP: anybody may have sent it, and keeps the PSP busy for half an hour at most, not for days (row B11). */
const HINT_TRIES_MAX = 6;
/** Events of one payment that are ended together. */
const TOGETHER_MAX = 500;

/** Asks the PSP about the payment that stored webhooks speak of; all of one payment together. */
export class WebhookProcessing implements JobHandler {
  readonly kind = WEBHOOK_JOB;
  private readonly logger = new Logger(WebhookProcessing.name);

  /** `scheduleMs`: delays between tries. */
  constructor(private readonly database: Database, private readonly events: GatewayEvents, private readonly jobs: JobQueue, private readonly scheduleMs: readonly number[]) {}

  async handle(job: Job): Promise<void> {
    const { tenantId, payload } = job;
    const subject: Subject = {
      tenantId, gateway: payload.gateway ?? '', reference: payload.reference ?? null, ourReference: payload.ourReference ?? null, refundReference: payload.refundReference ?? null,
    };
    const waiting = await this.waiting(subject);
    if (waiting.length === 0) return this.jobs.complete(this.database, job);
    const isProven = waiting.some((event) => event.is_proven !== 0);
    const receivedAt = waiting.reduce((latest, { created_at: at }) => (at > latest ? at : latest), new Date(0));
    const heard = await this.events.hear({ ...subject, refundReference: refundReferenceOf(waiting) ?? subject.refundReference, isProven, receivedAt });
    const tries = Number(payload.tries ?? '0') + 1;
    // Asked again and again, the PSP has said all that it will.
    const hasSaidAll = heard.kind === 'not_shown' && tries >= (isProven ? SILENT_TRIES_MAX : HINT_TRIES_MAX);
    if (heard.kind === 'nothing_new' && payload.lag === undefined) return this.jobs.postpone(this.database, job, heard.lagMs, { ...payload, lag: 'waited for' });
    if (heard.kind === 'applied' || heard.kind === 'nothing_new' || hasSaidAll) return this.end(job, waiting, 'processed', heard.paymentId);
    if (heard.kind === 'unknown_payment' && tries >= UNKNOWN_TRIES_MAX) {
      await this.events.reportUnknown(tenantId, heard.shown);
      return this.end(job, waiting, 'quarantined', null);
    }
    if (heard.kind === 'no_answer' && tries >= SILENT_TRIES_MAX) {
      this.logger.error({ alert: true, gateway: subject.gateway, reference: subject.reference, ourReference: subject.ourReference, events: waiting.length, what: heard.what, msg: 'webhooks were laid aside: the gateway could not be asked' });
      return this.end(job, waiting, 'dead', null);
    }
    await this.jobs.postpone(this.database, job, this.scheduleMs[Math.min(tries, this.scheduleMs.length) - 1] ?? 0, { ...payload, tries: String(tries) });
  }

  private async waiting({ tenantId, gateway, reference, ourReference, refundReference }: Subject) {
    const query = this.database.forTenant(tenantId).selectFrom('webhook_events').select(['id', 'is_proven', 'refund_reference', 'created_at']).where('gateway', '=', gateway).where('status', '=', 'received');
    const named = reference !== null ? query.where('gateway_reference', '=', Buffer.from(reference))
      : ourReference !== null ? query.where('our_reference', '=', Buffer.from(ourReference)) : query.where('refund_reference', '=', Buffer.from(refundReference ?? ''));
    return named.orderBy('id').limit(TOGETHER_MAX).execute();
  }

  private async end(job: Job, waiting: readonly { id: string }[], status: WebhookStatus, paymentId: string | null): Promise<void> {
    await this.database.transaction(async (transaction) => {
      await this.mark(transaction, job.tenantId, waiting.map(({ id }) => id), status, paymentId);
      // Whatever came while the PSP was asked took this job's lease away: then nothing of this stands, and it is asked again.
      await (waiting.length < TOGETHER_MAX ? this.jobs.complete(transaction, job) : this.jobs.postpone(transaction, job, 0));
    });
  }

  private async mark(access: DatabaseAccess, tenantId: string, ids: readonly string[], status: WebhookStatus, paymentId: string | null): Promise<void> {
    await access.forTenant(tenantId).updateTable('webhook_events').set({ status, payment_id: paymentId, updated_at: databaseNow() } as never).where('id' as never, 'in', ids as never).execute();
  }
}

function refundReferenceOf(waiting: readonly { refund_reference: Buffer | null }[]): string | null {
  return waiting.findLast((event) => event.refund_reference !== null)?.refund_reference?.toString('utf8') ?? null;
}
