import { sql } from 'kysely';
import { supports } from '../gateways/contract/payment-gateway.js';
import type { Database, Transaction } from '../platform/database/database.js';
import type { Job, JobQueue } from '../platform/jobs/job-queue.js';
import type { JobHandler } from '../platform/jobs/job-runner.js';
import { newId } from '../shared/id.js';
import type { GatewayAccount, GatewayAccounts } from '../tenants/gateway-accounts.js';
import type { CardVaults } from './card-vaults.js';

export const FORGET_CUSTOMER_JOB = 'customers.forget_at_gateway';

/** Has PSPs forget the customers that they have for ours, whom they know by their e-mail addresses. */
export class CustomerForgetting implements JobHandler {
  readonly kind = FORGET_CUSTOMER_JOB;

  constructor(private readonly database: Database, private readonly accounts: GatewayAccounts, private readonly vaults: CardVaults, private readonly jobs: JobQueue, private readonly jobCallMs: number) {}

  /** A job for each account whose PSP has such customers, in `delayMs`. The e-mail address stays in it until the PSP has said that the customer is gone. */
  async arrange(transaction: Transaction, tenantId: string, { id, email }: { id: string; email: string }, accounts: readonly GatewayAccount[], delayMs: number): Promise<void> {
    for (const account of accounts) {
      if (!supports(this.vaults.open(account, this.jobCallMs), 'forgetCustomer')) continue;
      await this.jobs.enqueue(transaction, { id: newId('job'), kind: FORGET_CUSTOMER_JOB, tenantId, payload: { accountId: account.id, email }, uniqueKey: `${FORGET_CUSTOMER_JOB}:${id}:${account.id}`, lane: account.gateway, delayMs });
    }
  }

  async handle(job: Job): Promise<void> {
    const { accountId = '', email = '' } = job.payload;
    const account = await this.accounts.version(this.database, job.tenantId, accountId);
    const gateway = this.vaults.open(account, this.jobCallMs);
    if (supports(gateway, 'forgetCustomer') && !await this.isShared(job.tenantId, account, email)) await gateway.forgetCustomer({ email });
    await this.jobs.complete(this.database, job);
  }

  /** Somebody else with this address, or the same person again, has a card there, or is about to. PSPs do not tell capitals in an address from small letters. */
  private async isShared(tenantId: string, { gateway, environment }: GatewayAccount, email: string): Promise<boolean> {
    const kept = await this.database.forTenant(tenantId).selectFrom('saved_methods').innerJoin('customers', 'customers.id', 'saved_methods.customer_id').select('saved_methods.id')
      .where('gateway', '=', gateway).where('environment', '=', environment).where(sql`lower(customers.email)`, '=', email.toLowerCase())
      .where((row) => row.or([row('leaving_at', 'is', null), row('reference_sealed', 'is', null)])).limit(1).execute();
    return kept.length > 0;
  }
}
