import type { DatabaseAccess } from '../platform/database/database.js';
import type { PaymentStore } from './payment-store.js';
import type { TimelineEntry, TimelineEvents } from './timeline-events.js';

/** What happened to a payment, oldest first. */
export class PaymentHistory {
  constructor(private readonly store: PaymentStore, private readonly others: TimelineEvents) {}

  /** @throws Problem `not_found` */
  async timeline(access: DatabaseAccess, tenantId: string, paymentId: string): Promise<TimelineEntry[]> {
    const { attempts } = await this.store.record(access, tenantId, paymentId);
    const transitions = await access.forTenant(tenantId).selectFrom('payment_transitions').selectAll()
      .where('payment_id', '=', paymentId).orderBy('version').limit(1000).execute();
    const steps: TimelineEntry[] = transitions.map((row) => ({
      at: row.created_at.toISOString(), cause: row.cause, ...(row.attempt_id === null ? {} : { attemptId: row.attempt_id }),
      // Of a refund's step the detail is where it stands then; the payment stays where it is.
      ...(row.refund_id === null ? { kind: 'transition', from: row.from_status, to: row.to_status, detail: row.detail ?? row.processing_reason }
        : { kind: 'refund', to: row.detail ?? '', detail: row.refund_id }),
    }));
    const calls: TimelineEntry[] = attempts.map((attempt) => ({
      at: attempt.createdAt.toISOString(), kind: 'attempt', to: attempt.status, cause: attempt.operation, attemptId: attempt.id,
      detail: [attempt.gateway, attempt.pspCode].filter((part) => part !== null).join(' '),
    }));
    // Stable: what happened in the same millisecond stays in the order in which it is written.
    return [...steps, ...calls, ...await this.others.of(access, tenantId, paymentId)].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  }
}
