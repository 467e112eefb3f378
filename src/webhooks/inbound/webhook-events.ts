import type { Database, DatabaseAccess } from '../../platform/database/database.js';
import type { PageStart } from '../../platform/http/pagination.js';
import type { JobQueue } from '../../platform/jobs/job-queue.js';
import type { TimelineEntry } from '../../payments/timeline-events.js';
import { isId, newId } from '../../shared/id.js';
import { Problem } from '../../shared/problem.js';
import type { WebhookEventRow, WebhookStatus } from './entities/webhook-event.entity.js';
import { processingOf } from './webhook-processing.js';

export type WebhookFilter = { gateway?: string | undefined; statuses?: readonly WebhookStatus[] | undefined; paymentId?: string | undefined; from?: Date | undefined; to?: Date | undefined };

/** What PSPs told us, for those who look after it. */
export class WebhookEvents {
  constructor(private readonly database: Database, private readonly jobs: JobQueue) {}

  /** Events of a tenant, newest first, at most `limit`. */
  async search(tenantId: string, filter: WebhookFilter, after: PageStart | null, limit: number): Promise<WebhookEventRow[]> {
    let query = this.database.forTenant(tenantId).selectFrom('webhook_events').selectAll();
    if (filter.gateway !== undefined) query = query.where('gateway', '=', filter.gateway);
    if (filter.statuses !== undefined) query = query.where('status', 'in', filter.statuses);
    if (filter.paymentId !== undefined) query = query.where('payment_id', '=', filter.paymentId);
    if (filter.from !== undefined) query = query.where('created_at', '>=', filter.from);
    if (filter.to !== undefined) query = query.where('created_at', '<', filter.to);
    if (after !== null) {
      query = query.where((row) => row.or([row('created_at', '<', after.createdAt), row.and([row('created_at', '=', after.createdAt), row('id', '<', after.id)])]));
    }
    return query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
  }

  /** Has the PSP asked once more about what an event speaks of. @throws Problem `not_found`; `invalid_state` for one that speaks of no payment */
  async replay(tenantId: string, id: string): Promise<WebhookEventRow> {
    const jobId = newId('job');
    return this.database.transaction(async (transaction) => {
      const row = isId('whe', id) ? await transaction.forTenant(tenantId).selectFrom('webhook_events').selectAll().where('id', '=', id).forUpdate().executeTakeFirst() : undefined;
      if (row === undefined) throw new Problem('not_found', 'There is no such event.');
      if (row.status === 'ignored') throw new Problem('invalid_state', 'The event speaks of no payment.');
      await transaction.forTenant(tenantId).updateTable('webhook_events').set({ status: 'received' }).where('id', '=', id).execute();
      const text = (bytes: Buffer | null): string | null => bytes?.toString('utf8') ?? null;
      await this.jobs.enqueueAgain(transaction, processingOf({
        jobId, tenantId, gateway: row.gateway, reference: text(row.gateway_reference), ourReference: text(row.our_reference), refundReference: text(row.refund_reference),
      }));
      return { ...row, status: 'received' };
    });
  }

  /** For a payment's timeline: what was told of it, and when it was told first. */
  readonly timeline = async (access: DatabaseAccess, tenantId: string, paymentId: string): Promise<TimelineEntry[]> => {
    const rows = await access.forTenant(tenantId).selectFrom('webhook_events').selectAll().where('payment_id', '=', paymentId).orderBy('id').limit(1000).execute();
    return rows.map((row) => ({ at: row.created_at.toISOString(), kind: 'webhook', cause: row.gateway, detail: row.topic }));
  };
}
