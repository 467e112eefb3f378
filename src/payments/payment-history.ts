import type { DatabaseAccess } from '../platform/database/database.js';
import type { PaymentStore } from './payment-store.js';

/** A line of a payment's timeline, as the API shows it. */
export type TimelineEntry = { at: string; kind: 'transition' | 'attempt'; from?: string | null; to?: string; cause: string; attemptId?: string; detail: string | null };

/** What happened to a payment, oldest first. */
export class PaymentHistory {
  constructor(private readonly store: PaymentStore) {}

  /** @throws Problem `not_found` */
  async timeline(access: DatabaseAccess, tenantId: string, paymentId: string): Promise<TimelineEntry[]> {
    const { attempts } = await this.store.withAttempts(access, tenantId, paymentId);
    const transitions = await access.forTenant(tenantId).selectFrom('payment_transitions').selectAll()
      .where('payment_id', '=', paymentId).orderBy('version').limit(1000).execute();
    const steps: TimelineEntry[] = transitions.map((row) => ({
      at: row.created_at.toISOString(), kind: 'transition', from: row.from_status, to: row.to_status, cause: row.cause,
      ...(row.attempt_id === null ? {} : { attemptId: row.attempt_id }), detail: row.detail ?? row.processing_reason,
    }));
    const calls: TimelineEntry[] = attempts.map((attempt) => ({
      at: attempt.createdAt.toISOString(), kind: 'attempt', to: attempt.status, cause: attempt.operation, attemptId: attempt.id,
      detail: [attempt.gateway, attempt.pspCode].filter((part) => part !== null).join(' '),
    }));
    // Stable: what happened in the same millisecond stays in the order in which it is written.
    return [...steps, ...calls].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  }
}
