import type { SavedMethods } from '../customers/saved-methods.js';
import { GATEWAY_DEFINITIONS } from '../gateways/gateways.js';
import type { ThreeDsResult } from '../gateways/contract/payment-gateway.js';
import type { SecretBox } from '../platform/crypto/secret-box.js';
import { isDuplicate } from '../platform/database/database-errors.js';
import type { DatabaseAccess, Transaction } from '../platform/database/database.js';
import { currentTraceId } from '../platform/http/trace.js';
import type { JobQueue } from '../platform/jobs/job-queue.js';
import type { Clock } from '../shared/clock.js';
import { ruleFor, type FeeRule } from '../shared/fees.js';
import { newId } from '../shared/id.js';
import { Problem } from '../shared/problem.js';
import type { GatewayAccount, GatewayAccounts } from '../tenants/gateway-accounts.js';
import { EXPIRY_JOB, UNCONFIRMED_LIFETIME_MS } from './expiry-job.js';
import { selectGateway, type Selection } from './gateway-selection.js';
import type { Begin, Begun } from './keyed-requests.js';
import { newAttempt } from './new-attempt.js';
import { lookUpJobKey, lookUpJobOf } from './payment-applier.js';
import type { ConfirmingPayer, Payer } from './payers.js';
import { next } from './payment-state.js';
import type { NewTransition, PaymentStore } from './payment-store.js';
import type { Attempt, Payment } from './payment.js';

/** How the customer pays: what the API shows of it, and the PSPs' tokens, which it never shows. */
export type MethodGiven = { facts: NonNullable<Payment['method']>; tokens: Record<string, string> };

/** How the customer pays, read in the payment's own transaction. @throws Problem when it names a card that is not the customer's */
export type MethodSource = { read: (access: DatabaseAccess, payment: Payment) => Promise<MethodGiven> };

export type PaymentDraft = Omit<Payment, 'customerId' | 'customer'>;

/** What a confirmation adds to a payment that waits for it. */
export type Confirmation = { method: MethodSource | null; gateway: string | null; payer: ConfirmingPayer; changes: Partial<Pick<Payment, 'returnUrl'>> };

/** The first transactions of a payment's life: everything that must be durable before a PSP is called (architecture §5). */
export class PaymentBeginning {
  constructor(
    private readonly store: PaymentStore,
    private readonly accounts: GatewayAccounts,
    private readonly savedMethods: SavedMethods,
    private readonly jobs: JobQueue,
    private readonly secretBox: SecretBox,
    private readonly clock: Clock,
    private readonly settings: { gatewayTimeoutMs: number; idempotencyLeaseMs: number },
  ) {}

  /** A payment that waits to be confirmed. */
  createOnly(draft: PaymentDraft, payer: Payer, source: MethodSource | null, gateway: string | null): Begin {
    const jobId = newId('job');
    return async (transaction) => {
      const payment = { ...draft, ...await payer(transaction) };
      const method = source === null ? null : await source.read(transaction, payment);
      const waiting: Payment = {
        ...payment, method: method?.facts ?? null, tokensSealed: method === null ? null : this.seal(payment.tenantId, method.tokens),
        plan: gateway === null ? null : { forced: gateway, candidates: [] }, expiresAt: new Date(payment.createdAt.getTime() + UNCONFIRMED_LIFETIME_MS),
      };
      await this.insert(transaction, waiting);
      await this.store.insertTransitions(transaction, [step(waiting, null, null)]);
      await this.jobs.enqueue(transaction, { id: jobId, kind: EXPIRY_JOB, tenantId: payment.tenantId, payload: { paymentId: payment.id }, delayMs: UNCONFIRMED_LIFETIME_MS });
      return { shown: { payment: waiting, attempts: [], refunds: [] }, call: null };
    };
  }

  /** A payment that is sent to a PSP at once. */
  createAndSend(draft: PaymentDraft, payer: Payer, source: MethodSource, gateway: string | null, referenceFees: readonly FeeRule[]): Begin {
    const jobId = newId('job');
    return async (transaction, attemptId) => {
      const payment = { ...draft, ...await payer(transaction) };
      const method = await source.read(transaction, payment);
      const selection = await this.select(transaction, payment, method, gateway);
      const sent = this.sent(payment, method, selection, referenceFees);
      await this.insert(transaction, sent);
      return this.send(transaction, { payment: sent, attemptId, jobId, method, account: selection.account, steps: [step(payment, null, null), step(sent, payment, attemptId)] });
    };
  }

  /** A payment that waited is sent now. @throws Problem `invalid_state` unless it waits, and when its customer was erased; `validation_failed` when its kept card was */
  confirm(tenantId: string, paymentId: string, confirmation: Confirmation, referenceFees: readonly FeeRule[]): Begin {
    const jobId = newId('job');
    return async (transaction, attemptId) => {
      const { payment: waiting } = await this.store.lock(transaction, tenantId, paymentId);
      if (waiting.state.status !== 'created') throw new Problem('invalid_state', `A payment that is ${waiting.state.status} cannot be confirmed.`);
      const payment = { ...waiting, ...confirmation.changes, ...await confirmation.payer(transaction, waiting) };
      const method = confirmation.method === null ? await this.methodNow(transaction, payment) : await confirmation.method.read(transaction, payment);
      const selection = await this.select(transaction, payment, method, confirmation.gateway ?? waiting.plan?.forced ?? null);
      const sent = { ...this.sent(payment, method, selection, referenceFees), updatedAt: this.clock.now() };
      await this.store.update(transaction, sent);
      return this.send(transaction, { payment: sent, attemptId, jobId, method, account: selection.account, steps: [step(sent, waiting, attemptId)] });
    };
  }

  /**
   * The second step after a 3-D Secure challenge: the same payment is sent to the same PSP once more, with the same token and what the authentication
   * brought. @throws Problem `invalid_state` unless it waits for that, `operation_in_progress` while an earlier call is not known to be over
   */
  authenticate(tenantId: string, paymentId: string, authentication: ThreeDsResult): Begin {
    const jobId = newId('job');
    return async (transaction, attemptId) => {
      const { payment: waiting } = await this.store.lock(transaction, tenantId, paymentId);
      const { status } = waiting.state;
      // A call whose end is not known may end in a challenge still; what its PSP has accepted waits for nobody.
      if (status === 'processing' && waiting.state.processingReason !== 'pending_at_gateway') throw new Problem('operation_in_progress', 'The payment is being processed.');
      if (status !== 'requires_action') throw new Problem('invalid_state', `A payment that is ${status} waits for no authentication.`);
      if (waiting.nextAction === null || !('publicKey' in waiting.nextAction)) throw new Problem('invalid_state', 'The payment waits for something else.');
      const attempts = await this.store.attempts(transaction, tenantId, paymentId);
      const challenged = attempts.findLast(({ operation }) => operation === 'authorize');
      if (challenged === undefined) throw new Error(`payment ${paymentId} waits for an action that no attempt asked for`);
      const account = await this.accounts.version(transaction, tenantId, challenged.gatewayAccountId);
      const method = this.methodKept(waiting);

      const { cavv: _proof, ...threeDs } = authentication;
      const sent: Payment = { ...waiting, version: waiting.version + 1, state: next(waiting.state, 'sent'), nextAction: null, threeDs, updatedAt: this.clock.now() };
      // The call that asked for the challenge has ended in it: nothing is left to find out about it.
      const ended = { ...challenged, nextLookUpAt: null };
      await this.jobs.drop(transaction, lookUpJobKey(challenged.id));
      await this.store.updateAttempt(transaction, ended, sent.updatedAt);
      await this.store.update(transaction, sent);
      const earlier = attempts.map((attempt) => (attempt.id === ended.id ? ended : attempt));
      return this.send(transaction, { payment: sent, attemptId, jobId, method, account, earlier, steps: [step(sent, waiting, attemptId)], authentication });
    };
  }

  private async select(transaction: Transaction, payment: Payment, method: MethodGiven, gateway: string | null): Promise<Selection> {
    const { amount, captureMethod: capture, description, customer } = payment;
    const order = { amount, capture, description, customer, method: { type: method.facts.type, installments: method.facts.installments, isSaved: method.facts.saved !== undefined, isMerchantInitiated: method.facts.saved?.initiatedBy === 'merchant' }, tokens: method.tokens, options: method.facts.options ?? {} };
    const selection = selectGateway(order, gateway, await this.accounts.current(transaction, payment.tenantId), GATEWAY_DEFINITIONS);
    const { saved } = method.facts;
    if (saved !== undefined && saved.environment !== selection.account.environment) {
      throw new Problem('no_eligible_gateway', 'The card is kept in another environment of the gateway.', { errors: [{ field: 'paymentMethod.savedMethodId', message: 'is kept in another environment' }] });
    }
    return selection;
  }

  private sent(payment: Payment, method: MethodGiven, selection: Selection, referenceFees: readonly FeeRule[]): Payment {
    const ruleOf = (rules: readonly FeeRule[]): FeeRule | null => ruleFor(rules, payment.amount.currency, method.facts.type) ?? null;
    const pricing = { fees: ruleOf(selection.account.fees), reference: ruleOf(referenceFees) };
    return {
      ...payment, version: payment.version + 1, state: next(payment.state, 'sent'), gateway: selection.account.gateway, plan: { ...selection.plan, pricing },
      method: method.facts, tokensSealed: this.seal(payment.tenantId, method.tokens), expiresAt: null,
    };
  }

  private async send(transaction: Transaction, { payment, attemptId, jobId, method, account, steps, earlier = [], authentication }: {
    payment: Payment; attemptId: string; jobId: string; method: MethodGiven; account: GatewayAccount; steps: NewTransition[]; earlier?: Attempt[]; authentication?: ThreeDsResult;
  }): Promise<Begun> {
    const attempt = newAttempt({
      id: attemptId, tenantId: payment.tenantId, paymentId: payment.id, gateway: account.gateway, gatewayAccountId: account.id,
      operation: 'authorize', amount: payment.amount, createdAt: payment.updatedAt,
    });
    await this.store.insertAttempt(transaction, attempt, this.settings.gatewayTimeoutMs);
    await this.store.insertTransitions(transaction, steps);
    await this.jobs.enqueue(transaction, lookUpJobOf(attempt, jobId, this.settings.idempotencyLeaseMs));
    const token = method.tokens[attempt.gateway] ?? (method.facts.type === 'cash_voucher' ? '' : undefined);
    if (token === undefined) throw new Error('a gateway was selected for which there is no token');
    const options = method.facts.options?.[attempt.gateway];
    const order = {
      attemptId, paymentId: payment.id, amount: payment.amount, capture: payment.captureMethod, description: payment.description, customer: payment.customer,
      method: { type: method.facts.type, token, ...(method.facts.saved === undefined ? {} : { isSaved: true, isMerchantInitiated: method.facts.saved.initiatedBy === 'merchant' }), installments: method.facts.installments, ...(options === undefined ? {} : { options }) },
      ...(authentication === undefined ? {} : { authentication }),
    };
    return { shown: { payment, attempts: [...earlier, attempt], refunds: [] }, call: { operation: 'authorize', attemptId, account, order } };
  }

  private async insert(transaction: Transaction, payment: Payment): Promise<void> {
    try {
      await this.store.insert(transaction, payment);
    } catch (error) {
      if (!isDuplicate(error, 'payments_unique_reference')) throw error;
      const existingId = await this.store.idByUniqueReference(transaction, payment.tenantId, payment.uniqueReference ?? '');
      throw new Problem('duplicate_reference', 'A live payment has this reference.', { extra: existingId === null ? {} : { existingId } });
    }
  }

  private methodKept(payment: Payment): MethodGiven {
    if (payment.method === null || payment.tokensSealed === null) {
      throw new Problem('validation_failed', 'The payment has no payment method yet.', { errors: [{ field: 'paymentMethod', message: 'is required' }] });
    }
    return { facts: payment.method, tokens: JSON.parse(this.secretBox.open(payment.tokensSealed, payment.tenantId)) as Record<string, string> };
  }

  /** The method that a payment was made with. What was a kept card then may be forgotten by now. */
  private async methodNow(access: DatabaseAccess, payment: Payment): Promise<MethodGiven> {
    const { facts, tokens } = this.methodKept(payment);
    if (facts.saved === undefined) return { facts, tokens };
    const { gateway, reference } = await this.savedMethods.chargeable(access, payment.tenantId, payment.customerId, facts.saved.id);
    return { facts, tokens: { [gateway]: reference } };
  }

  private seal(tenantId: string, tokens: Record<string, string>): string {
    return this.secretBox.seal(JSON.stringify(tokens), tenantId);
  }
}

function step(payment: Payment, from: Payment | null, attemptId: string | null): NewTransition {
  return { payment, from, cause: 'request', attemptId, detail: null, traceId: currentTraceId() ?? null };
}
