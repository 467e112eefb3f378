import { CUSTOMER_ERASED_JOB, pseudonymOf } from '../customers/customer-erasure.js';
import type { Database, Transaction } from '../platform/database/database.js';
import { currentTraceId } from '../platform/http/trace.js';
import type { IdempotencyKeys } from '../platform/idempotency/idempotency-keys.js';
import type { Job, JobQueue } from '../platform/jobs/job-queue.js';
import type { JobHandler } from '../platform/jobs/job-runner.js';
import type { Clock } from '../shared/clock.js';
import { next, TERMINAL } from './payment-state.js';
import type { PaymentStore } from './payment-store.js';
import type { Payment } from './payment.js';

const BATCH = 50;
/** When payments that were not final are looked at again. */
const AGAIN_MS = 60 * 60_000;

/**
 * Takes a customer who was erased out of their payments and out of the answers that are kept for repeats. A payment that was never sent is withdrawn; one
 * that is not final is waited for: its PSP may ask who pays. What proves the money stays.
 */
export class ForgetCustomerJob implements JobHandler {
  readonly kind = CUSTOMER_ERASED_JOB;

  constructor(private readonly database: Database, private readonly store: PaymentStore, private readonly keys: IdempotencyKeys, private readonly jobs: JobQueue, private readonly clock: Clock) {}

  /** In the payload: `after`, the payment that was looked at last in this round; `waiting`, the first in it that was not final; `from`, where the round began. */
  async handle(job: Job): Promise<void> {
    const { customerId = '', from = '', after = '', waiting = '' } = job.payload;
    const payments = await this.database.forTenant(job.tenantId).selectFrom('payments').select('id').where('customer_id', '=', customerId)
      .where('customer', '!=', JSON.stringify(pseudonymOf(customerId))).where('id', '>=', from).where('id', '>', after).orderBy('id').limit(BATCH).execute();
    let firstWaiting = waiting;
    for (const { id } of payments) {
      const isForgotten = await this.database.transaction((transaction) => this.forget(transaction, job.tenantId, id));
      if (!isForgotten && firstWaiting === '') firstWaiting = id;
    }
    const last = payments.at(-1);
    if (last !== undefined && payments.length === BATCH) await this.jobs.postpone(this.database, job, 0, { customerId, from, after: last.id, waiting: firstWaiting });
    else if (firstWaiting !== '') await this.jobs.postpone(this.database, job, AGAIN_MS, { customerId, from: firstWaiting });
    else await this.jobs.complete(this.database, job);
  }

  /** False when the payment is not final. */
  private async forget(transaction: Transaction, tenantId: string, paymentId: string): Promise<boolean> {
    const { payment: found } = await this.store.lock(transaction, tenantId, paymentId);
    const payment = found.state.status === 'created' ? await this.withdraw(transaction, found) : found;
    if (!TERMINAL.has(payment.state.status)) return false;
    const customer = pseudonymOf(payment.customerId ?? '');
    await this.store.update(transaction, { ...payment, customer, returnUrl: null, method: withoutOptions(payment.method) });
    await this.keys.rewrite(transaction, tenantId, paymentId, (body) => withCustomer(body, customer));
    return true;
  }

  /** As the void of a payment that was never sent; the caller writes it. */
  private async withdraw(transaction: Transaction, payment: Payment): Promise<Payment> {
    const withdrawn: Payment = { ...payment, state: next(payment.state, 'withdrawn'), version: payment.version + 1, updatedAt: this.clock.now(), tokensSealed: null, nextAction: null, uniqueReference: null };
    await this.store.insertTransitions(transaction, [{ payment: withdrawn, from: payment, cause: 'request', attemptId: null, detail: 'customer erased', traceId: currentTraceId() ?? null }]);
    return withdrawn;
  }
}

/** What the PSPs were to be told beside may name the customer. */
function withoutOptions(method: Payment['method']): Payment['method'] {
  if (method === null) return null;
  const { options: _options, ...shown } = method;
  return shown;
}

/** A stored answer with somebody else as its customer; as it was when it shows none. */
function withCustomer(body: Buffer, customer: { email: string }): Buffer {
  const shown = JSON.parse(body.toString('utf8')) as { customer?: { id?: string } };
  if (shown.customer === undefined) return body;
  const { id } = shown.customer;
  return Buffer.from(JSON.stringify({ ...shown, customer: { ...(id === undefined ? {} : { id }), ...customer } }));
}
