import { Logger } from '@nestjs/common';
import type { Database } from '../platform/database/database.js';
import type { JobQueue } from '../platform/jobs/job-queue.js';
import { isCurrency } from '../shared/currency.js';
import type { Clock } from '../shared/clock.js';
import { newId } from '../shared/id.js';
import { money } from '../shared/money.js';
import { Problem } from '../shared/problem.js';
import type { Caller } from '../tenants/caller.js';
import type { Answer } from './answer.js';
import type { AuthenticatePaymentDto } from './dto/authenticate-payment.dto.js';
import type { ConfirmPaymentDto } from './dto/confirm-payment.dto.js';
import type { CreatePaymentDto } from './dto/create-payment.dto.js';
import type { PaymentMethodDto } from './dto/payment-method.dto.js';
import { INLINE_LOOK_UP_MS } from './key-takeover.js';
import type { Begin, KeyedAsk, KeyedRequests } from './keyed-requests.js';
import type { OperationBeginning } from './operation-beginning.js';
import { attemptsInDoubt, parkedRefunds } from './in-doubt.js';
import type { RefundBeginning } from './refund-beginning.js';
import type { CreateRefundDto } from './dto/create-refund.dto.js';
import { lookUpJobKey } from './payment-applier.js';
import type { Payers } from './payers.js';
import type { MethodGiven, MethodSource, PaymentBeginning, PaymentDraft } from './payment-beginning.js';
import type { PaymentResolver } from './payment-resolver.js';
import type { PaymentStore } from './payment-store.js';
import type { Attempt, PaymentRecord } from './payment.js';
import type { SavedMethods } from '../customers/saved-methods.js';
import { withoutNulls } from '../shared/without-nulls.js';

/** A reader pulls the look-up of a payment forward at most this often. */
const PULL_FORWARD_EVERY_MS = 5_000;

/** What a client can do with payments. */
export class PaymentsService {
  private readonly logger = new Logger(PaymentsService.name);

  constructor(
    private readonly database: Database,
    private readonly store: PaymentStore,
    private readonly payers: Payers,
    private readonly savedMethods: SavedMethods,
    private readonly requests: KeyedRequests,
    private readonly beginning: PaymentBeginning,
    private readonly operations: OperationBeginning,
    private readonly refunds: RefundBeginning,
    private readonly resolver: PaymentResolver,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
  ) {}

  /** Makes a payment and, unless `confirm` is false, sends it to a PSP. `rawBody` is the body as it came, for the key's fingerprint. */
  async create(caller: Caller, key: string, body: CreatePaymentDto, rawBody: unknown): Promise<Answer> {
    const payment = this.newPayment(caller.tenantId, body);
    const method = body.paymentMethod == null ? null : this.method(body.paymentMethod);
    const payer = this.payers.ofOrder(caller.tenantId, body.customer, body.paymentMethod?.savedMethodId ?? null);
    const gateway = body.gateway ?? null;
    const begin = body.confirm === false || method === null
      ? this.beginning.createOnly(payment, payer, method, gateway) : this.beginning.createAndSend(payment, payer, method, gateway, caller.referenceFees);
    return this.requests.answer({ caller, key, route: 'POST /v1/payments', body: rawBody, successStatus: 201, beginsPayment: true }, begin);
  }

  /** Sends a payment that was made with `confirm: false`. */
  async confirm(caller: Caller, key: string, paymentId: string, body: ConfirmPaymentDto, rawBody: unknown): Promise<Answer> {
    const begin = this.beginning.confirm(caller.tenantId, paymentId, {
      method: body.paymentMethod == null ? null : this.method(body.paymentMethod),
      gateway: body.gateway ?? null,
      payer: this.payers.ofConfirmation(caller.tenantId, body.customer ?? null, body.paymentMethod?.savedMethodId ?? null),
      changes: body.returnUrl == null ? {} : { returnUrl: body.returnUrl },
    }, caller.referenceFees);
    return this.requests.answer({ caller, key, route: `POST /v1/payments/${paymentId}/confirm`, body: rawBody, successStatus: 200, beginsPayment: true }, begin);
  }

  /** Sends a payment again with what the customer's authentication brought. @throws Problem as payment-beginning.ts says */
  async authenticate(caller: Caller, key: string, paymentId: string, body: AuthenticatePaymentDto, rawBody: unknown): Promise<Answer> {
    const { eci, xid, cavv, protocolVersion, directoryServerTransactionId } = body;
    const begin = this.beginning.authenticate(caller.tenantId, paymentId, { eci, xid, cavv, protocolVersion, directoryServerTransactionId });
    return this.requests.answer({ caller, key, route: `POST /v1/payments/${paymentId}/authentication`, body: rawBody, successStatus: 200, beginsPayment: true }, begin);
  }

  /** Takes reserved money; without `amount` all of it. @throws Problem as operation-beginning.ts says */
  async capture(caller: Caller, key: string, paymentId: string, amount: number | undefined, rawBody: unknown): Promise<Answer> {
    const begin = this.operations.capture(caller.tenantId, paymentId, amount === undefined ? null : BigInt(amount));
    return this.operate({ caller, key, route: `POST /v1/payments/${paymentId}/capture`, body: rawBody, successStatus: 200, beginsPayment: false }, paymentId, begin);
  }

  /** Releases reserved money, or withdraws a payment for which none is reserved yet. @throws Problem as operation-beginning.ts says */
  async void(caller: Caller, key: string, paymentId: string, rawBody: unknown): Promise<Answer> {
    const begin = this.operations.void(caller.tenantId, paymentId);
    return this.operate({ caller, key, route: `POST /v1/payments/${paymentId}/void`, body: rawBody, successStatus: 200, beginsPayment: false }, paymentId, begin);
  }

  /** Gives captured money back; without `amount` all that is left. @throws Problem as refund-beginning.ts says */
  async refund(caller: Caller, key: string, paymentId: string, body: CreateRefundDto, rawBody: unknown): Promise<Answer> {
    const begin = this.refunds.refund(caller, paymentId, { amountMinor: body.amount == null ? null : BigInt(body.amount), reason: body.reason ?? null, allowNegative: body.allowNegative === true });
    return this.operate({ caller, key, route: `POST /v1/payments/${paymentId}/refunds`, body: rawBody, successStatus: 201, beginsPayment: false }, paymentId, begin);
  }

  /** What stands in the way may be an operation whose end we have not heard of: the PSP is asked once, and then it is tried again. */
  private async operate(ask: KeyedAsk, paymentId: string, begin: Begin): Promise<Answer> {
    try {
      return await this.requests.answer(ask, begin);
    } catch (error) {
      if (!(error instanceof Problem) || !['operation_in_progress', 'invalid_state'].includes(error.code)) throw error;
      const found = await this.store.record(this.database, ask.caller.tenantId, paymentId);
      const [attempt] = attemptsInDoubt(found);
      if (attempt === undefined || !(await this.resolver.lookUp(ask.caller.tenantId, attempt.id, INLINE_LOOK_UP_MS)).answered) throw error;
      return this.requests.answer(ask, begin);
    }
  }

  /** The payment as it is stored. One whose outcome is not known has its look-up pulled forward; nobody waits for a PSP. @throws Problem `not_found` */
  async get(tenantId: string, paymentId: string): Promise<PaymentRecord> {
    const found = await this.store.record(this.database, tenantId, paymentId);
    await this.pullForward(found);
    return found;
  }

  /** Has the PSP asked soon about what is in doubt, at most every few seconds. */
  async pullForward(found: PaymentRecord): Promise<void> {
    for (const attempt of attemptsInDoubt(found)) {
      // Reading waits for no writer: then it is pulled forward another time.
      await this.noteAndPull(attempt).catch((error: unknown) => { this.logger.warn({ err: error, attemptId: attempt.id, msg: 'a look-up was not pulled forward' }); });
    }
  }

  private async noteAndPull(attempt: Attempt): Promise<void> {
    if (await this.store.notePullForward(this.database, attempt, PULL_FORWARD_EVERY_MS)) await this.jobs.pullForward(this.database, lookUpJobKey(attempt.id));
  }

  /** Asks the PSP now. A final payment does not move. @throws Problem `not_found`; `gateway_unavailable` when the PSP does not answer in time */
  async sync(tenantId: string, paymentId: string): Promise<PaymentRecord> {
    const found = await this.store.record(this.database, tenantId, paymentId);
    const doubted = [...attemptsInDoubt(found), ...parkedRefunds(found)];
    const authorized = found.attempts.findLast(({ operation }) => operation === 'authorize');
    // While the call itself may still run, its reply is what counts.
    if (authorized === undefined || found.attempts.some(({ status }) => status === 'sent')) return found;
    let resolved: PaymentRecord = found;
    for (const attempt of doubted.length > 0 ? doubted : [authorized]) {
      const resolution = await this.resolver.lookUp(tenantId, attempt.id, INLINE_LOOK_UP_MS);
      if (!resolution.answered) {
        this.logger.warn({ paymentId, gateway: attempt.gateway, msg: 'the gateway did not answer a sync' });
        throw new Problem('gateway_unavailable', 'The gateway did not answer.', { retryAfterSeconds: 5 });
      }
      resolved = resolution;
    }
    return resolved;
  }

  /** @throws Problem `validation_failed` when a kept card and tokens are mixed */
  private method(method: PaymentMethodDto): MethodSource {
    const given = methodGiven(method);
    const savedMethodId = method.savedMethodId ?? null;
    const misplaced = method.type === 'saved' ? (['tokens', 'card'] as const).find((name) => method[name] != null) : (['savedMethodId', 'initiatedBy'] as const).find((name) => method[name] != null);
    if (misplaced !== undefined) throw new Problem('validation_failed', 'The request is not valid.', { errors: [{ field: `paymentMethod.${misplaced}`, message: `does not go with type ${method.type}` }] });
    if (savedMethodId === null) return { read: () => Promise.resolve(given) };
    return {
      read: async (access, { tenantId, customerId }) => {
        const { gateway, environment, reference, card } = await this.savedMethods.chargeable(access, tenantId, customerId, savedMethodId);
        return { facts: { ...given.facts, ...card, saved: { id: savedMethodId, environment, initiatedBy: method.initiatedBy ?? 'customer' } }, tokens: { [gateway]: reference } };
      },
    };
  }

  private newPayment(tenantId: string, body: CreatePaymentDto): PaymentDraft {
    if (!isCurrency(body.currency)) {
      throw new Problem('currency_not_supported', `The currency is not supported.`, { errors: [{ field: 'currency', message: 'is not supported' }] });
    }
    const reference = body.reference ?? null;
    if (body.uniqueReference === true && reference === null) {
      throw new Problem('validation_failed', 'A unique reference needs a reference.', { errors: [{ field: 'reference', message: 'is required with uniqueReference' }] });
    }
    const now = this.clock.now();
    return {
      id: newId('pay'), tenantId, version: 1, state: { status: 'created', processingReason: null }, pendingOperation: null, authorizationExpiresAt: null, amount: money(body.amount, body.currency), capturedMinor: 0n,
      fees: null, captureMethod: body.captureMethod ?? 'automatic', gateway: null, gatewayReference: null, authorizationCode: null, fraudScore: null,
      reference, uniqueReference: body.uniqueReference === true ? reference : null, description: body.description ?? null, returnUrl: body.returnUrl ?? null,
      metadata: body.metadata ?? {}, method: null, tokensSealed: null, nextAction: null, failure: null, plan: null,
      expiresAt: null, savingsMinor: null, refundCount: 0, threeDs: null, createdAt: now, updatedAt: now,
    };
  }
}

function methodGiven(method: PaymentMethodDto): MethodGiven {
  // A kept one is a card, to the PSPs and to the fees.
  const type = method.type === 'saved' ? 'card' : method.type;
  return { facts: { type, installments: method.installments ?? 1, ...withoutNulls(method.card ?? {}), ...(method.options == null ? {} : { options: method.options }) }, tokens: { ...method.tokens } };
}
