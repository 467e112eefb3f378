import { Logger } from '@nestjs/common';
import { gatewayDefinition } from '../gateways/gateways.js';
import { isUnavailable } from '../platform/database/database-errors.js';
import type { Database, Transaction } from '../platform/database/database.js';
import { KeyTaken, type IdempotencyKeys, type KeyedRequest, type KeyRecord } from '../platform/idempotency/idempotency-keys.js';
import { requestFingerprint } from '../platform/idempotency/canonical-json.js';
import type { JobQueue } from '../platform/jobs/job-queue.js';
import { TimeWindow, type Clock } from '../shared/clock.js';
import { newId } from '../shared/id.js';
import { Problem } from '../shared/problem.js';
import type { GatewayAccount } from '../tenants/gateway-accounts.js';
import type { Caller } from '../tenants/caller.js';
import { answerWith, type Answer } from './answer.js';
import type { CallResult, GatewayCaller, PspCall } from './gateway-caller.js';
import type { KeyTakeover } from './key-takeover.js';
import { nextLookUpDueAt, planFirstLookUp } from './look-up-plan.js';
import { lookUpTimesOf, type LookUpSettings } from './look-up-times.js';
import { arrangeLookUp, type PaymentApplier } from './payment-applier.js';
import type { PaymentRecord } from './payment.js';
import type { UnappliedSnapshots } from './unapplied-snapshots.js';

/** What a client asks under a key. `route` names the route with its parameters. */
export type KeyedAsk = { caller: Caller; key: string; route: string; body: unknown; successStatus: 200 | 201; /** Whether it makes or sends a payment, which may be paused. */ beginsPayment: boolean };

/** What tx1 left: the payment as stored, the refund that is asked for, if any, and, if a PSP is to be called, with what. */
export type Begun = { shown: PaymentRecord; refundId?: string; /** Where nothing is called, and not all is done yet. */ statusCode?: 202; call: (PspCall & { attemptId: string; account: GatewayAccount }) | null };

/** Begins the request in tx1; a Problem thrown here undoes everything and frees the key. */
export type Begin = (transaction: Transaction, attemptId: string) => Promise<Begun>;

/** Persist, commit, call, apply, answer: the one way in which a payment reaches a PSP, at most once for each key (architecture §5). */
export class KeyedRequests {
  private readonly logger = new Logger(KeyedRequests.name);

  constructor(
    private readonly database: Database,
    private readonly keys: IdempotencyKeys,
    private readonly caller: GatewayCaller,
    private readonly applier: PaymentApplier,
    private readonly jobs: JobQueue,
    private readonly takeover: KeyTakeover,
    private readonly unapplied: UnappliedSnapshots,
    private readonly clock: Clock,
    private readonly settings: LookUpSettings & { gatewayTimeoutMs: number; newPayments: 'on' | 'off' },
  ) {}

  /** Answers the request, or answers again what was answered before. @throws Problem `idempotency_key_reused`, `idempotency_key_in_use`, and what `begin` refuses */
  async answer(ask: KeyedAsk, begin: Begin): Promise<Answer> {
    const tenantId = ask.caller.tenantId;
    const request: KeyedRequest = {
      tenantId, key: ask.key, fingerprint: requestFingerprint(ask.route, ask.body), owner: newId('idk'), successStatus: ask.successStatus,
    };
    // Opened before tx1: however long a commit or a stopped process takes, the call goes out within this window or never.
    const window = TimeWindow.open(this.clock, this.settings.gatewayTimeoutMs);
    const begun = await this.begin(request, ask, begin);
    if ('body' in begun) return begun;
    if (begun.call === null) return { ...answerWith(begun.shown, begun.refundId ?? null, begun.statusCode ?? ask.successStatus, ask.caller.locale), replayed: false };

    const result = await this.caller.make(begun.call.account, begun.call, window);
    return this.settle(request, begun, begun.call, result, ask.caller.locale);
  }

  /** Whether something was asked under this key before. */
  async isKnown(tenantId: string, key: string): Promise<boolean> {
    return await this.keys.find(this.database, tenantId, key) !== null;
  }

  private async begin(request: KeyedRequest, ask: KeyedAsk, begin: Begin): Promise<Begun | Answer> {
    const attemptId = newId('att');
    let begun: Begun | undefined;
    try {
      return await this.database.transaction(async (transaction) => {
        await this.keys.claim(transaction, request, attemptId);
        // What was answered before is answered again; nothing new begins (docs/operations.md, restore).
        if (this.settings.newPayments === 'off' && ask.beginsPayment) throw new Problem('unavailable', 'New payments are paused. Ask again later, with the same Idempotency-Key.', { retryAfterSeconds: 30 });
        begun = await begin(transaction, attemptId);
        if (begun.call === null) await this.keys.finish(transaction, request.tenantId, request.key, request.owner, answerWith(begun.shown, begun.refundId ?? null, begun.statusCode ?? request.successStatus, ask.caller.locale));
        return begun;
      });
    } catch (error) {
      if (!(error instanceof KeyTaken)) throw error;
      const record = await this.keys.find(this.database, request.tenantId, request.key);
      // Ours: the connection was lost at COMMIT, the same inserts were run again, and the key shows that the first COMMIT stood.
      if (record?.owner === request.owner && begun !== undefined) return begun;
      return this.answerAgain(request, record);
    }
  }

  private async answerAgain(request: KeyedRequest, record: KeyRecord | null): Promise<Answer> {
    if (record !== null && !record.fingerprint.equals(request.fingerprint)) {
      throw new Problem('idempotency_key_reused', 'This Idempotency-Key was used for another request.');
    }
    if (record?.answer != null) return { ...record.answer, replayed: true };
    if (record !== null && record.leaseRemainingMs === 0) {
      const finished = await this.takeover.finish(request.tenantId, record);
      if (finished !== null) return { ...finished, replayed: false };
      const after = await this.keys.find(this.database, request.tenantId, request.key);
      if (after?.answer != null) return { ...after.answer, replayed: true };
    }
    throw inUse(record);
  }

  private async settle(request: KeyedRequest, begun: Begun, call: NonNullable<Begun['call']>, result: CallResult, locale: string): Promise<Answer> {
    try {
      const { answer, stored } = await this.applyReply(request, begun.shown.payment.id, call, result, locale);
      if (stored) return { ...answer, replayed: false };
    } catch (error) {
      if (isUnavailable(error)) throw error;
      this.logger.error({ err: error, paymentId: begun.shown.payment.id, attemptId: call.attemptId, alert: true, msg: 'a reply could not be applied; it is kept' });
      const answer = answerWith(begun.shown, begun.refundId ?? null, request.successStatus, locale);
      if (await this.unapplied.keep({ request, attemptId: call.attemptId, result, answer })) return { ...answer, replayed: false };
    }
    // We stood still for longer than our lease, and another finished for us; or this is the second run of a COMMIT that stood.
    const record = await this.keys.find(this.database, request.tenantId, request.key);
    if (record?.answer == null) throw inUse(record);
    return { ...record.answer, replayed: record.owner !== request.owner };
  }

  /** tx2: what the PSP said, what follows from it, and the stored answer, all or nothing. */
  private async applyReply(request: KeyedRequest, paymentId: string, call: NonNullable<Begun['call']>, result: CallResult, locale: string) {
    const { tenantId } = request;
    const { profile } = gatewayDefinition(call.account.gateway);
    const times = lookUpTimesOf(profile, this.settings);
    return this.database.transaction(async (transaction) => {
      const applied = await this.applier.apply(transaction, {
        tenantId, paymentId, attemptId: call.attemptId, cause: 'reply', profile, latencyMs: result.latencyMs,
        ...(result.answer === undefined ? {} : { answer: result.answer }),
        decide: (_payment, attempt, now) => ({ observed: result.observed, attempt: planFirstLookUp(attempt, times, now) }),
      });
      await arrangeLookUp(this.jobs, transaction, applied.attempt, nextLookUpDueAt(applied.attempt, times, applied.now), applied.now);
      const answer = answerWith(applied, applied.attempt.refundId, request.successStatus, locale);
      return { answer, stored: await this.keys.finish(transaction, tenantId, request.key, request.owner, answer) };
    });
  }
}

function inUse(record: KeyRecord | null): Problem {
  const retryAfterSeconds = Math.max(1, Math.ceil((record?.leaseRemainingMs ?? 0) / 1000));
  return new Problem('idempotency_key_in_use', 'A request with this Idempotency-Key is still running.', { retryAfterSeconds });
}
