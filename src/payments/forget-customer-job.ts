import { CUSTOMER_ERASED_JOB, pseudonymOf } from '../customers/customer-erasure.js';
import type { Database, Transaction } from '../platform/database/database.js';
import type { IdempotencyKeys } from '../platform/idempotency/idempotency-keys.js';
import type { Job, JobQueue } from '../platform/jobs/job-queue.js';
import type { JobHandler } from '../platform/jobs/job-runner.js';
import { TERMINAL } from './payment-state.js';
import type { Payment } from './payment.js';
import type { PaymentStore } from './payment-store.js';

const BATCH = 50;
/** When payments that were not final are looked at again. */
const AGAIN_MS = 60 * 60_000;
/** Answers of which no attempt came were stored when the payment was made or last changed, give or take two clocks. */
const CLOCKS_MS = 15 * 60_000;

/**
 * Takes a customer who was erased out of their payments and out of the answers that are kept for repeats. A payment that is not final is waited for: its
 * PSP may ask who pays. What proves the money stays.
 */
export class ForgetCustomerJob implements JobHandler {
  readonly kind = CUSTOMER_ERASED_JOB;

  constructor(private readonly database: Database, private readonly store: PaymentStore, private readonly keys: IdempotencyKeys, private readonly jobs: JobQueue) {}

  async handle(job: Job): Promise<void> {
    const { customerId = '', after = '', waiting = '' } = job.payload;
    const payments = await this.database.forTenant(job.tenantId).selectFrom('payments').select('id').where('customer_id', '=', customerId).where('id', '>', after).orderBy('id').limit(BATCH).execute();
    let isWaiting = waiting !== '';
    for (const { id } of payments) isWaiting = !await this.database.transaction((transaction) => this.forget(transaction, job.tenantId, id)) || isWaiting;
    const last = payments.at(-1);
    if (last !== undefined && payments.length === BATCH) await this.jobs.postpone(this.database, job, 0, { customerId, after: last.id, ...(isWaiting ? { waiting: 'yes' } : {}) });
    else if (isWaiting) await this.jobs.postpone(this.database, job, AGAIN_MS, { customerId });
    else await this.jobs.complete(this.database, job);
  }

  /** False when the payment is not final. */
  private async forget(transaction: Transaction, tenantId: string, paymentId: string): Promise<boolean> {
    const { payment } = await this.store.lock(transaction, tenantId, paymentId);
    if (!TERMINAL.has(payment.state.status)) return false;
    const customer = pseudonymOf(payment.customerId ?? '');
    await this.store.update(transaction, { ...payment, customer });
    const attempts = await this.store.attempts(transaction, tenantId, paymentId);
    await this.keys.rewrite(transaction, tenantId, { attemptIds: attempts.map(({ id }) => id), begins: `{"id":"${payment.id}"`, storedAround: aroundOf(payment) }, (body) => withCustomer(body, customer));
    return true;
  }
}

function aroundOf({ createdAt, updatedAt }: Payment): { from: Date; to: Date }[] {
  return [createdAt, updatedAt].map((at) => ({ from: new Date(at.getTime() - CLOCKS_MS), to: new Date(at.getTime() + CLOCKS_MS) }));
}

/** A stored answer with somebody else as its customer; as it was when it shows none. */
function withCustomer(body: Buffer, customer: { email: string }): Buffer {
  const shown = JSON.parse(body.toString('utf8')) as { customer?: { id?: string } };
  if (shown.customer === undefined) return body;
  const { id } = shown.customer;
  return Buffer.from(JSON.stringify({ ...shown, customer: { ...(id === undefined ? {} : { id }), ...customer } }));
}
