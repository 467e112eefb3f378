import { Logger } from '@nestjs/common';
import { isDuplicate } from '../platform/database/database-errors.js';
import type { Database, DatabaseAccess } from '../platform/database/database.js';
import type { PageStart } from '../platform/http/pagination.js';
import { isId } from '../shared/id.js';
import { Problem } from '../shared/problem.js';
import { databaseNow } from '../platform/database/time.js';
import { failActiveSpan } from '../platform/tracing/span.js';
import type { Metrics } from '../platform/metrics/metrics.js';
import type { TicketRow } from './entities/ticket.entity.js';
import { TICKET_KINDS, type TicketKind, type TicketRecord } from './ticket.js';

export type TicketFilter = { paymentId?: string | undefined; statuses?: readonly TicketRecord['status'][] | undefined; kind?: TicketKind | undefined; from?: Date | undefined; to?: Date | undefined };

export type NewTicket = {
  id: string; tenantId: string; kind: TicketKind; paymentId: string | null; attemptId: string | null; refundId?: string | null;
  /** What the trouble is with, when that is no attempt: at most 100 characters. */
  subject?: string;
  evidence: Record<string, unknown>;
  /** The trouble is there anew: a ticket of it that was resolved is open again. */
  isAnew?: boolean;
};

/** Tickets. Opens one for each trouble, however often it is seen; each with an alert in the log, once it is durable. */
export class Tickets {
  private readonly logger = new Logger(Tickets.name);
  private readonly opened;

  constructor(private readonly database: Database, metrics: Metrics) {
    this.opened = metrics.counter({ name: 'smartpay_tickets_opened_total', help: 'Tickets opened: something a person must look at.', labelNames: ['kind'] });
    for (const kind of TICKET_KINDS) this.opened.inc({ kind }, 0);
  }

  async open(access: DatabaseAccess, ticket: NewTicket): Promise<void> {
    const { id, tenantId, kind, paymentId, attemptId, refundId = null, subject = attemptId ?? id, evidence, isAnew = false } = ticket;
    const dedupeKey = Buffer.from(`${kind}:${subject}`);
    try {
      await access.forTenant(tenantId).insertInto('tickets', {
        id, kind, payment_id: paymentId, attempt_id: attemptId, refund_id: refundId, dedupe_key: dedupeKey, status: 'open', evidence: JSON.stringify(evidence),
        opened_at: databaseNow(), resolved_at: null, resolution: null, resolved_by: null,
      }).execute();
    } catch (error) {
      // This trouble has its ticket. A duplicate key undoes its statement only; the transaction goes on.
      if (!isDuplicate(error, 'tickets_dedupe_key')) throw error;
      if (!isAnew || !await this.reopen(access, tenantId, dedupeKey, evidence)) return;
    }
    failActiveSpan(`ticket_${kind}`);
    access.afterCommit(() => {
      this.opened.inc({ kind });
      this.logger.warn({ alert: true, ticket: kind, paymentId, attemptId, msg: 'ticket opened' });
    });
  }

  /** Whether there was a resolved one. */
  private async reopen(access: DatabaseAccess, tenantId: string, dedupeKey: Buffer, evidence: NewTicket['evidence']): Promise<boolean> {
    const { numUpdatedRows } = await access.forTenant(tenantId).updateTable('tickets').set({ status: 'open', evidence: JSON.stringify(evidence), opened_at: databaseNow(), resolved_at: null, resolution: null, resolved_by: null })
      .where('dedupe_key', '=', dedupeKey).where('status', '=', 'resolved').executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  /** Whether this trouble with an attempt has its ticket, open or not. */
  async exists(tenantId: string, kind: TicketKind, attemptId: string): Promise<boolean> {
    const row = await this.database.forTenant(tenantId).selectFrom('tickets').select('id').where('dedupe_key', '=', Buffer.from(`${kind}:${attemptId}`)).executeTakeFirst();
    return row !== undefined;
  }

  /** Ends the ticket of a trouble that ended by itself. */
  async resolve(access: DatabaseAccess, { tenantId, kind, attemptId, resolution }: { tenantId: string; kind: TicketKind; attemptId: string; resolution: string }): Promise<void> {
    await access.forTenant(tenantId).updateTable('tickets').set({ status: 'resolved', resolved_at: databaseNow(), resolution })
      .where('dedupe_key', '=', Buffer.from(`${kind}:${attemptId}`)).where('status', '=', 'open').execute();
  }

  /** Tickets of a tenant, newest first, at most `limit`. */
  async search(tenantId: string, filter: TicketFilter, after: PageStart | null, limit: number): Promise<TicketRecord[]> {
    let query = this.database.forTenant(tenantId).selectFrom('tickets').selectAll();
    if (filter.paymentId !== undefined) query = query.where('payment_id', '=', filter.paymentId);
    if (filter.statuses !== undefined) query = query.where('status', 'in', filter.statuses);
    if (filter.kind !== undefined) query = query.where('kind', '=', filter.kind);
    if (filter.from !== undefined) query = query.where('opened_at', '>=', filter.from);
    if (filter.to !== undefined) query = query.where('opened_at', '<', filter.to);
    if (after !== null) {
      query = query.where((row) => row.or([row('opened_at', '<', after.createdAt), row.and([row('opened_at', '=', after.createdAt), row('id', '<', after.id)])]));
    }
    const rows = await query.orderBy('opened_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
    return rows.map(ticketOf);
  }

  /** @throws Problem `not_found` */
  async change(tenantId: string, id: string, { status, resolution, by }: { status: TicketRecord['status']; resolution: string | null; by: string }): Promise<TicketRecord> {
    return this.database.transaction(async (transaction) => {
      const tickets = transaction.forTenant(tenantId);
      const row = isId('tic', id) ? await tickets.selectFrom('tickets').selectAll().where('id', '=', id).forUpdate().executeTakeFirst() : undefined;
      if (row === undefined) throw new Problem('not_found', 'There is no such ticket.');
      const changes = status === 'open' ? { status, resolved_at: null, resolution, resolved_by: null } : { status, resolved_at: databaseNow(), resolution: resolution ?? row.resolution, resolved_by: by };
      await tickets.updateTable('tickets').set(changes).where('id', '=', id).execute();
      return ticketOf(await tickets.selectFrom('tickets').selectAll().where('id', '=', id).executeTakeFirstOrThrow());
    });
  }
}

function ticketOf(row: TicketRow): TicketRecord {
  return {
    id: row.id, kind: row.kind, paymentId: row.payment_id, refundId: row.refund_id, attemptId: row.attempt_id, status: row.status, evidence: JSON.parse(row.evidence) as Record<string, unknown>,
    openedAt: row.opened_at, resolvedAt: row.resolved_at, resolution: row.resolution, resolvedBy: row.resolved_by,
  };
}
