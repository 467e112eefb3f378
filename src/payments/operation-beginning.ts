import { gatewayDefinition } from '../gateways/gateways.js';
import type { Transaction } from '../platform/database/database.js';
import { currentTraceId } from '../platform/http/trace.js';
import type { JobQueue } from '../platform/jobs/job-queue.js';
import type { Clock } from '../shared/clock.js';
import { newId } from '../shared/id.js';
import { money, type Money } from '../shared/money.js';
import { Problem } from '../shared/problem.js';
import type { GatewayAccounts } from '../tenants/gateway-accounts.js';
import type { GatewayCaller } from './gateway-caller.js';
import type { Begin, Begun } from './keyed-requests.js';
import { newAttempt } from './new-attempt.js';
import { lookUpJobKey, lookUpJobOf } from './payment-applier.js';
import { next } from './payment-state.js';
import type { PaymentStore } from './payment-store.js';
import type { Attempt, Payment } from './payment.js';

type Operation = 'capture' | 'void';
const VERB = { capture: 'capturePayment', void: 'voidPayment' } as const;

/** The first transactions of what is done with reserved money: all that must be durable before the PSP is asked, and every refusal before anything is stored. */
export class OperationBeginning {
  constructor(
    private readonly store: PaymentStore,
    private readonly accounts: GatewayAccounts,
    private readonly jobs: JobQueue,
    private readonly caller: GatewayCaller,
    private readonly clock: Clock,
    private readonly settings: { gatewayTimeoutMs: number; idempotencyLeaseMs: number },
  ) {}

  /** Takes reserved money; `amountMinor` null takes all. @throws Problem `invalid_state`, `operation_in_progress`, `capture_exceeds_authorized`, `capability_missing` */
  capture(tenantId: string, paymentId: string, amountMinor: bigint | null): Begin {
    return this.begin(tenantId, paymentId, 'capture', (payment) => captured(payment, amountMinor));
  }

  /**
   * Releases reserved money, or takes back at the PSP what its customer could still pay there; what only we can go on with is simply withdrawn.
   * @throws Problem `invalid_state`, `operation_in_progress`, `capability_missing`
   */
  void(tenantId: string, paymentId: string): Begin {
    const release = this.begin(tenantId, paymentId, 'void', ({ amount }) => amount);
    return async (transaction, attemptId) => {
      const { payment } = await this.store.lock(transaction, tenantId, paymentId);
      return waitsForUs(payment) ? this.withdraw(transaction, payment) : release(transaction, attemptId);
    };
  }

  private begin(tenantId: string, paymentId: string, operation: Operation, amountOf: (payment: Payment) => Money): Begin {
    const jobId = newId('job');
    return async (transaction, attemptId) => {
      const { payment } = await this.store.lock(transaction, tenantId, paymentId);
      if (payment.pendingOperation !== null) throw new Problem('operation_in_progress', `A ${payment.pendingOperation} of this payment is in progress.`);
      if (!(payment.state.status === 'authorized' || (operation === 'void' && waitsAtPsp(payment)))) throw new Problem('invalid_state', `A payment that is ${payment.state.status} cannot be ${operation === 'capture' ? 'captured' : 'voided'}.`);
      const amount = amountOf(payment);
      const attempts = await this.store.attempts(transaction, tenantId, paymentId);
      const asked = madeBy(payment, attempts);
      const account = await this.accounts.version(transaction, tenantId, asked.gatewayAccountId);
      if (!this.caller.supports(account, VERB[operation])) throw new Problem('capability_missing', `The gateway cannot ${operation} payments.`);

      const now = this.clock.now();
      const pending = { ...payment, pendingOperation: operation, version: payment.version + 1, updatedAt: now };
      const attempt = newAttempt({
        id: attemptId, tenantId, paymentId, gateway: asked.gateway, gatewayAccountId: asked.gatewayAccountId, operation, amount, gatewayReference: asked.gatewayReference, createdAt: now,
      });
      await this.store.update(transaction, pending);
      await this.store.insertAttempt(transaction, attempt, this.settings.gatewayTimeoutMs);
      await this.store.insertTransitions(transaction, [{ payment: pending, from: payment, cause: 'request', attemptId, detail: operation, traceId: currentTraceId() ?? null }]);
      await this.jobs.enqueue(transaction, lookUpJobOf(attempt, jobId, this.settings.idempotencyLeaseMs));
      const order = { attemptId, paymentId, reference: asked.gatewayReference, amount };
      const call = operation === 'capture' ? { operation, order: { ...order, authorized: payment.amount } } as const : { operation, order } as const;
      return { shown: { payment: pending, attempts: [...attempts, attempt], refunds: [] }, call: { ...call, attemptId, account } };
    };
  }

  /** Nothing is reserved: no PSP need be asked. */
  private async withdraw(transaction: Transaction, payment: Payment): Promise<Begun> {
    const now = this.clock.now();
    const withdrawn: Payment = {
      ...payment, state: next(payment.state, 'withdrawn'), version: payment.version + 1, updatedAt: now, tokensSealed: null, nextAction: null, uniqueReference: null,
    };
    await this.store.update(transaction, withdrawn);
    await this.store.insertTransitions(transaction, [{ payment: withdrawn, from: payment, cause: 'request', attemptId: null, detail: 'void', traceId: currentTraceId() ?? null }]);
    const attempts = await this.store.attempts(transaction, payment.tenantId, payment.id);
    const closed = attempts.map((attempt): Attempt => (attempt.status === 'requires_action' ? { ...attempt, status: 'failed', nextLookUpAt: null } : attempt));
    for (const attempt of closed) {
      await this.jobs.drop(transaction, lookUpJobKey(attempt.id));
      await this.store.updateAttempt(transaction, attempt, now);
    }
    return { shown: { payment: withdrawn, attempts: closed, refunds: [] }, call: null };
  }
}

/** Not sent yet, or challenged at a PSP where nothing happens until we send it once more. */
function waitsForUs({ state, nextAction }: Payment): boolean {
  return state.status === 'created' || (state.status === 'requires_action' && nextAction !== null && 'publicKey' in nextAction);
}

/** The customer may pay at any moment, without us: only the PSP can take it back. */
function waitsAtPsp({ state, gatewayReference }: Payment): boolean {
  return state.status === 'requires_action' && gatewayReference !== null;
}

/** The attempt that made the payment at its PSP, with what the PSP calls it. */
export function madeBy(payment: Payment, attempts: readonly Attempt[]): Attempt & { gatewayReference: string } {
  const { gatewayReference } = payment;
  const asked = attempts.findLast(({ operation, gatewayReference: reference }) => operation === 'authorize' && reference === gatewayReference);
  if (asked === undefined || gatewayReference === null) throw new Error(`payment ${payment.id} was made by no attempt`);
  return { ...asked, gatewayReference };
}

/** @throws Problem `capture_exceeds_authorized`, `capability_missing` where the PSP captures all or nothing */
function captured({ amount, gateway }: Payment, amountMinor: bigint | null): Money {
  if (amountMinor === null || amountMinor === amount.amountMinor) return amount;
  const errors = [{ field: 'amount', message: `at most ${amount.amountMinor}` }];
  if (amountMinor > amount.amountMinor) throw new Problem('capture_exceeds_authorized', 'More cannot be captured than was authorised.', { errors });
  const { displayName, profile } = gatewayDefinition(gateway ?? '');
  if (!profile.capturesPartially) throw new Problem('capability_missing', `${displayName} captures all or nothing.`, { errors: [{ field: 'amount', message: 'must be the whole amount, or left out' }] });
  return money(amountMinor, amount.currency);
}
