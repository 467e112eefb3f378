import { gatewayDefinition } from '../gateways/gateways.js';
import type { RefundReason } from '../gateways/contract/payment-gateway.js';
import type { Transaction } from '../platform/database/database.js';
import { currentTraceId } from '../platform/http/trace.js';
import type { JobQueue } from '../platform/jobs/job-queue.js';
import type { Clock } from '../shared/clock.js';
import { newId } from '../shared/id.js';
import { money } from '../shared/money.js';
import { Problem } from '../shared/problem.js';
import type { Caller } from '../tenants/caller.js';
import type { GatewayAccounts } from '../tenants/gateway-accounts.js';
import { includesRole } from '../tenants/role.js';
import type { GatewayCaller } from './gateway-caller.js';
import type { Begin, Begun } from './keyed-requests.js';
import { newAttempt } from './new-attempt.js';
import { madeBy } from './operation-beginning.js';
import { lookUpJobOf } from './payment-applier.js';
import type { PaymentStore } from './payment-store.js';
import type { Payment, PaymentRecord } from './payment.js';
import { nextToSend, outgoingIdOf } from './refund-queue.js';
import { refundedOf, type Refund } from './refund.js';

/** Refunds of one payment, at most: its answer shows them all. */
const REFUNDS_MAX = 100;

export type RefundAsked = { amountMinor: bigint | null; reason: RefundReason | null; allowNegative: boolean };

/** The first transaction of a refund: all that must be durable before the PSP is asked, and every refusal before anything is stored. */
export class RefundBeginning {
  constructor(
    private readonly store: PaymentStore,
    private readonly accounts: GatewayAccounts,
    private readonly jobs: JobQueue,
    private readonly caller: GatewayCaller,
    private readonly clock: Clock,
    private readonly settings: { gatewayTimeoutMs: number; idempotencyLeaseMs: number },
  ) {}

  /** @throws Problem `invalid_state`, `refund_exceeds_captured`, `approval_required`, `capability_missing`, `forbidden` */
  refund(asking: Caller, paymentId: string, asked: RefundAsked): Begin {
    const id = newId('rfd');
    const jobId = newId('job');
    return async (transaction, attemptId) => {
      const { tenantId } = asking;
      const { payment } = await this.store.lock(transaction, tenantId, paymentId);
      const record = await this.store.withParts(transaction, payment);
      const amount = money(amountOf(record, asked.amountMinor), payment.amount.currency);
      checkRole(asking, asked, amount.amountMinor);
      const made = madeBy(payment, record.attempts);
      const account = await this.accounts.version(transaction, tenantId, made.gatewayAccountId);
      if (!this.caller.supports(account, 'refundPayment')) throw new Problem('capability_missing', `${gatewayDefinition(made.gateway).displayName} cannot refund.`);

      const now = this.clock.now();
      const refund: Refund = {
        id, tenantId, paymentId, version: 1, status: 'submitted', origin: 'api', amount, reason: asked.reason, failure: null, gatewayReference: null, createdAt: now, updatedAt: now,
      };
      const changed: Payment = { ...payment, refundCount: payment.refundCount + 1, version: payment.version + 1, updatedAt: now };
      await this.store.insertRefund(transaction, refund);
      await this.store.update(transaction, changed);
      await this.store.insertTransitions(transaction, [{ payment: changed, from: payment, cause: 'request', attemptId: null, refundId: id, detail: refund.status, traceId: currentTraceId() ?? null }]);

      const after: PaymentRecord = { payment: changed, attempts: record.attempts, refunds: [...record.refunds, refund] };
      // Where refunds cannot be told apart, only one of a payment is on its way; the others are sent in turn (architecture §5).
      if (!gatewayDefinition(made.gateway).profile.tellsRefundsApart && nextToSend(after)?.id !== id) return { shown: after, refundId: id, call: null };
      return this.send(transaction, after, refund, attemptId, jobId);
    };
  }

  /** Begins the call for a refund, in its transaction: the attempt, and the job that finds out what became of it. */
  async send(transaction: Transaction, { payment, attempts, refunds }: PaymentRecord, refund: Refund, attemptId: string, jobId: string): Promise<Begun & { call: NonNullable<Begun['call']> }> {
    const made = madeBy(payment, attempts);
    const account = await this.accounts.version(transaction, payment.tenantId, made.gatewayAccountId);
    const attempt = newAttempt({
      id: attemptId, tenantId: payment.tenantId, paymentId: payment.id, gateway: made.gateway, gatewayAccountId: made.gatewayAccountId, operation: 'refund',
      refundId: refund.id, amount: refund.amount, gatewayReference: made.gatewayReference, createdAt: this.clock.now(),
    });
    await this.store.insertAttempt(transaction, attempt, this.settings.gatewayTimeoutMs);
    await this.jobs.enqueue(transaction, lookUpJobOf(attempt, jobId, this.settings.idempotencyLeaseMs));
    const { honoursIdempotencyKey } = gatewayDefinition(made.gateway).profile;
    const isWhole = refund.amount.amountMinor === payment.capturedMinor && refunds.every(({ id, status }) => id === refund.id || status === 'failed');
    const order = { attemptId: outgoingIdOf({ attempts }, refund.id, attemptId, honoursIdempotencyKey), paymentId: payment.id, reference: made.gatewayReference, amount: refund.amount, reason: refund.reason ?? 'requested_by_customer', isWhole } as const;
    return { shown: { payment, attempts: [...attempts, attempt], refunds }, refundId: refund.id, call: { operation: 'refund', order, attemptId, account } };
  }
}

/** @throws Problem `forbidden`, `approval_required` */
function checkRole({ role, settings: { refundLimit } }: Caller, { allowNegative }: RefundAsked, amountMinor: bigint): void {
  if (includesRole(role, 'operator')) return;
  if (allowNegative) throw new Problem('forbidden', 'allowNegative needs a key of role operator.');
  if (refundLimit !== null && amountMinor > refundLimit) throw new Problem('approval_required', `A key of role client refunds at most ${refundLimit}; this needs a key of role operator.`);
}

/** What is refunded, in minor units: what is asked, or all that is left. @throws Problem `invalid_state`, `refund_exceeds_captured` */
function amountOf({ payment, refunds }: PaymentRecord, askedMinor: bigint | null): bigint {
  const { status } = payment.state;
  if (status !== 'captured') throw new Problem('invalid_state', `A payment that is ${status} cannot be refunded.`);
  if (refunds.length >= REFUNDS_MAX) throw new Problem('invalid_state', `A payment can be refunded ${REFUNDS_MAX} times.`);
  const { succeededMinor, pendingMinor } = refundedOf(refunds);
  const left = payment.capturedMinor - succeededMinor - pendingMinor;
  if (left <= 0n || (askedMinor !== null && askedMinor > left)) {
    throw new Problem('refund_exceeds_captured', 'More cannot be refunded than was captured and is not refunded yet, or about to be.', { errors: [{ field: 'amount', message: left <= 0n ? 'nothing is left' : `at most ${left}` }] });
  }
  return askedMinor ?? left;
}
