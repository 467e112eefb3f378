import type { Actor, AuditTrail } from '../platform/audit/audit-trail.js';
import type { Database } from '../platform/database/database.js';
import type { JobQueue } from '../platform/jobs/job-queue.js';
import type { Clock } from '../shared/clock.js';
import { isId, newId } from '../shared/id.js';
import type { GatewayAccounts } from '../tenants/gateway-accounts.js';
import type { CustomerForgetting } from './customer-forgetting.js';
import { noSuchCustomer } from './customers.js';
import type { MethodForgetting } from './method-forgetting.js';

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
  /** `settleMs`: by then every request that read the customer before, or has a PSP keep a card for them, is over. */
  constructor(
    private readonly database: Database, private readonly accounts: GatewayAccounts, private readonly methods: MethodForgetting, private readonly customers: CustomerForgetting, private readonly audit: AuditTrail,
    private readonly jobs: JobQueue, private readonly clock: Clock, private readonly settleMs: number,
  ) {}

  /** Forgets who they are, and that cards are theirs; jobs have the PSPs forget both, and their payments follow, each when it is final. @throws Problem `not_found` */
  async erase(tenantId: string, customerId: string, actor: Actor): Promise<void> {
    const erasedAt = this.clock.now();
    const [entryId, jobId] = [newId('aud'), newId('job')];
    const accounts = await this.accounts.newest(this.database, tenantId);
    await this.database.transaction(async (transaction) => {
      const access = transaction.forTenant(tenantId);
      const row = isId('cus', customerId) ? await access.selectFrom('customers').select(['id', 'email', 'erased_at']).where('id', '=', customerId).forUpdate().executeTakeFirst() : undefined;
      if (row === undefined) throw noSuchCustomer();
      if (row.erased_at !== null) {
        // The COMMIT of an earlier run stood, unless it was somebody else's.
        const ours = await access.selectFrom('audit_entries').select('id').where('id', '=', entryId).executeTakeFirst();
        if (ours === undefined) throw noSuchCustomer();
        return;
      }
      const kept = await access.selectFrom('saved_methods').select(['id', 'gateway']).where('customer_id', '=', customerId).where('leaving_at', 'is', null).execute();
      await this.methods.leave(transaction, tenantId, kept, erasedAt, 0);
      await this.customers.arrange(transaction, tenantId, row, accounts, this.settleMs);
      await access.updateTable('customers').set({
        ...pseudonymOf(customerId), external_id: null, first_name: null, last_name: null, phone: null, country: null, address: null, document: null, metadata: '{}', updated_at: erasedAt, erased_at: erasedAt,
      }).where('id', '=', customerId).execute();
      await this.audit.append(transaction, { id: entryId, tenantId, createdAt: erasedAt, actor, action: 'customer.erased', subject: customerId, detail: {} });
      await this.jobs.enqueue(transaction, { id: jobId, kind: CUSTOMER_ERASED_JOB, tenantId, payload: { customerId }, uniqueKey: `${CUSTOMER_ERASED_JOB}:${customerId}`, delayMs: this.settleMs });
    });
  }
}
