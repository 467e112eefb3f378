import { Logger } from '@nestjs/common';
import type { DatabaseAccess } from '../platform/database/database.js';
import { databaseNow } from '../platform/database/time.js';
import type { TicketKind } from './ticket.js';

export type NewTicket = { id: string; tenantId: string; kind: TicketKind; paymentId: string; attemptId: string; evidence: Record<string, unknown> };

/** Opens tickets: one per trouble, however often it is seen, and an alert in the log for each sighting. */
export class Tickets {
  private readonly logger = new Logger(Tickets.name);

  async open(access: DatabaseAccess, ticket: NewTicket): Promise<void> {
    await access.forTenant(ticket.tenantId).insertInto('tickets', {
      id: ticket.id, kind: ticket.kind, payment_id: ticket.paymentId, attempt_id: ticket.attemptId,
      dedupe_key: Buffer.from(`${ticket.kind}:${ticket.attemptId}`), status: 'open', evidence: JSON.stringify(ticket.evidence),
      opened_at: databaseNow(), resolved_at: null,
    }).onDuplicateKeyUpdate({ kind: ticket.kind }).execute();
    this.logger.warn({ alert: true, ticket: ticket.kind, paymentId: ticket.paymentId, attemptId: ticket.attemptId, msg: 'ticket opened' });
  }
}
