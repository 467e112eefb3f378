import type { Actor, AuditTrail } from '../platform/audit/audit-trail.js';
import type { Database } from '../platform/database/database.js';
import type { JobQueue } from '../platform/jobs/job-queue.js';
import type { Clock } from '../shared/clock.js';
import { isId, newId } from '../shared/id.js';
import { Problem } from '../shared/problem.js';
import { noSuchCustomer } from './customers.js';
import type { SavedMethods } from './saved-methods.js';

/** Work for whoever holds copies of what is known of a customer: `payload.customerId` was erased. */
export const CUSTOMER_ERASED_JOB = 'customers.erased';

/** What is left of an erased customer where somebody must be named. No mail ever leads there (RFC 2606). */
export function pseudonymOf(customerId: string): { email: string } {
  return { email: `${customerId}@erased.invalid` };
}

/**
 * Forgets who a customer is: the right to erasure (Ley 29733 in Peru, and its like elsewhere). What law and audit require stays under a pseudonym: that
 * there was a customer of this id, what they paid, and by what card's last digits.
 */
export class CustomerErasure {
  /** `settleMs`: by then every request that read the customer before is over. */
  constructor(
    private readonly database: Database, private readonly savedMethods: SavedMethods, private readonly audit: AuditTrail, private readonly jobs: JobQueue, private readonly clock: Clock, private readonly settleMs: number,
  ) {}

  /**
   * Forgets their cards, at the PSPs first, then who they are; their payments follow, each when it is final.
   * @throws Problem `not_found`; `gateway_unavailable` when a PSP does not say that it has forgotten a card: nothing but cards is forgotten then;
   * `operation_in_progress` when a card is being kept for them just now
   */
  async erase(tenantId: string, customerId: string, actor: Actor): Promise<void> {
    for (const { id } of await this.savedMethods.ofCustomer(tenantId, customerId)) await this.savedMethods.delete(tenantId, customerId, id);
    const erasedAt = this.clock.now();
    const [entryId, jobId] = [newId('aud'), newId('job')];
    await this.database.transaction(async (transaction) => {
      const access = transaction.forTenant(tenantId);
      const row = isId('cus', customerId) ? await access.selectFrom('customers').select('erased_at').where('id', '=', customerId).forUpdate().executeTakeFirst() : undefined;
      // The COMMIT of an earlier run stood.
      if (row?.erased_at?.getTime() === erasedAt.getTime()) return;
      if (row === undefined || row.erased_at !== null) throw noSuchCustomer();
      const kept = await access.selectFrom('saved_methods').select('id').where('customer_id', '=', customerId).limit(1).execute();
      if (kept.length > 0) throw new Problem('operation_in_progress', 'A card is being kept for this customer.', { retryAfterSeconds: 1 });
      await access.updateTable('customers').set({
        ...pseudonymOf(customerId), external_id: null, first_name: null, last_name: null, phone: null, country: null, address: null, document: null, metadata: '{}', updated_at: erasedAt, erased_at: erasedAt,
      }).where('id', '=', customerId).execute();
      await this.audit.append(transaction, { id: entryId, tenantId, createdAt: erasedAt, actor, action: 'customer.erased', subject: customerId, detail: {} });
      await this.jobs.enqueue(transaction, { id: jobId, kind: CUSTOMER_ERASED_JOB, tenantId, payload: { customerId }, uniqueKey: `${CUSTOMER_ERASED_JOB}:${customerId}`, delayMs: this.settleMs });
    });
  }
}
