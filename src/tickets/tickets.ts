import { Logger } from '@nestjs/common';
import { isDuplicate } from '../platform/database/database-errors.js';
import type { DatabaseAccess } from '../platform/database/database.js';
import { databaseNow } from '../platform/database/time.js';
import { failActiveSpan } from '../platform/tracing/span.js';
import type { Metrics } from '../platform/metrics/metrics.js';
import { TICKET_KINDS, type TicketKind } from './ticket.js';

export type NewTicket = {
  id: string; tenantId: string; kind: TicketKind; paymentId: string | null; attemptId: string | null;
  /** What the trouble is with, when that is no attempt: at most 100 characters. */
  subject?: string;
  evidence: Record<string, unknown>;
};

/** Opens tickets: one for each trouble, however often it is seen; each with an alert in the log, once it is durable. */
export class Tickets {
  private readonly logger = new Logger(Tickets.name);
  private readonly opened;

  constructor(metrics: Metrics) {
    this.opened = metrics.counter({ name: 'smartpay_tickets_opened_total', help: 'Tickets opened: something a person must look at.', labelNames: ['kind'] });
    for (const kind of TICKET_KINDS) this.opened.inc({ kind }, 0);
  }

  async open(access: DatabaseAccess, ticket: NewTicket): Promise<void> {
    const { id, tenantId, kind, paymentId, attemptId, subject = attemptId ?? id, evidence } = ticket;
    try {
      await access.forTenant(tenantId).insertInto('tickets', {
        id, kind, payment_id: paymentId, attempt_id: attemptId, dedupe_key: Buffer.from(`${kind}:${subject}`), status: 'open', evidence: JSON.stringify(evidence),
        opened_at: databaseNow(), resolved_at: null,
      }).execute();
    } catch (error) {
      // This trouble has its ticket. A duplicate key undoes its statement only; the transaction goes on.
      if (isDuplicate(error, 'tickets_dedupe_key')) return;
      throw error;
    }
    failActiveSpan(`ticket_${kind}`);
    access.afterCommit(() => {
      this.opened.inc({ kind });
      this.logger.warn({ alert: true, ticket: kind, paymentId, attemptId, msg: 'ticket opened' });
    });
  }
}
