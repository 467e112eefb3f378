import { Logger } from '@nestjs/common';
import { gatewayDefinition } from '../gateways/gateways.js';
import type { PaymentSnapshot } from '../gateways/contract/payment-gateway.js';
import type { Database } from '../platform/database/database.js';
import { isUnavailable } from '../platform/database/database-errors.js';
import { databaseTimeIn } from '../platform/database/time.js';
import type { Job, JobQueue } from '../platform/jobs/job-queue.js';
import type { JobHandler } from '../platform/jobs/job-runner.js';
import type { Clock } from '../shared/clock.js';
import { isId, newId } from '../shared/id.js';
import type { GatewayAccount, GatewayAccounts } from '../tenants/gateway-accounts.js';
import type { Tickets } from '../tickets/tickets.js';
import { differs } from './look-over.js';
import { nextLookUpDueAt, planFirstLookUp } from './look-up-plan.js';
import { lookUpTimesOf, type LookUpSettings } from './look-up-times.js';
import { arrangeLookUp, lookUpJobOf, type PaymentApplier } from './payment-applier.js';
import { parkedRefunds } from './in-doubt.js';
import { refundedOf } from './refund.js';
import { attemptOf } from './payment-rows.js';
import type { PaymentStore } from './payment-store.js';
import type { Attempt, PaymentRecord } from './payment.js';
import type { PspBooks } from './psp-books.js';
import type { UnknownPayments } from './unknown-payments.js';

export const LOOK_OVER_JOB = 'payments.look_over';
export const ACCOUNT_LOOK_OVER_JOB = 'payments.look_over_account';

const EVERY_MS = 24 * 60 * 60_000;
/** How far back: a day that failed is made up for twice. */
const RANGE_MS = 3 * EVERY_MS;
/** Accounts are begun one after the other, this far apart and within an hour, so that no PSP is asked by all tenants at once. */
const APART_MS = 1_000;
const SPREAD_MS = 60 * 60_000;
/** Asked about at once; a slice with more payments than a PSP lists is halved, down to the least. */
const SLICE_MS_MAX = 6 * 60 * 60_000;
const SLICE_MS_MIN = 60_000;
/** How often a PSP that does not answer is asked about a slice; and how long it is left alone between, ever longer. */
const TRIES_MAX = 12;
const RETRY_MS = 60_000;
const RETRY_MS_MAX = 30 * 60_000;
/** Accounts that are read at once. */
const BATCH = 500;

/** Once a day, has every account looked over that is in force, or was in these days. */
export class LookOverJob implements JobHandler {
  readonly kind = LOOK_OVER_JOB;
  readonly isRecurring = true;
  /** Not while a service is only being set up. */
  readonly firstAfterMs = 5 * 60_000;

  constructor(private readonly database: Database, private readonly jobs: JobQueue) {}

  async handle(job: Job): Promise<void> {
    const { after = '', begun = '0' } = job.payload;
    const accounts = await this.database.acrossTenants().selectFrom('gateway_accounts').select(['id', 'tenant_id', 'gateway']).where('id', '>', after)
      .where((row) => row.or([row('superseded_at', 'is', null), row('superseded_at', '>', databaseTimeIn(-RANGE_MS))])).orderBy('id').limit(BATCH).execute();
    for (const [i, { id, tenant_id: tenantId, gateway }] of accounts.entries()) {
      const delayMs = Math.min(APART_MS * (Number(begun) + i), SPREAD_MS);
      // Begins anew, whatever became of the last one: it may lie aside, or stand where no answer came.
      await this.jobs.enqueueAgain(this.database, { id: newId('job'), kind: ACCOUNT_LOOK_OVER_JOB, tenantId, payload: { accountId: id }, uniqueKey: `look_over:${id}`, lane: gateway, delayMs });
    }
    const last = accounts.at(-1);
    if (last !== undefined && accounts.length === BATCH) return this.jobs.postpone(this.database, job, 0, { after: last.id, begun: String(Number(begun) + BATCH) });
    return this.jobs.postpone(this.database, job, EVERY_MS, {});
  }
}

/**
 * Compares what a PSP has in its books of the last days with ours. What it has and we do not (a capture it made by itself, a refund in its panel, a
 * chargeback, money that came late or twice) is applied like any other answer of the PSP's; what carries an id of ours that we do not know becomes a ticket.
 */
export class AccountLookOverJob implements JobHandler {
  readonly kind = ACCOUNT_LOOK_OVER_JOB;
  private readonly logger = new Logger(AccountLookOverJob.name);

  constructor(
    private readonly database: Database,
    private readonly store: PaymentStore,
    private readonly accounts: GatewayAccounts,
    private readonly books: PspBooks,
    private readonly applier: PaymentApplier,
    private readonly tickets: Tickets,
    private readonly unknown: UnknownPayments,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
    private readonly settings: LookUpSettings & { gatewayTimeoutMs: number },
  ) {}

  /** One slice of the range at a time, so that each ends well within the job's lease; the next is the same job again. */
  async handle(job: Job): Promise<void> {
    const account = await this.accounts.version(this.database, job.tenantId, job.payload.accountId ?? '');
    const { from, to, sliceMs } = this.sliceOf(job, account);
    const end = new Date(Math.min(from.getTime() + sliceMs, to.getTime()));
    const listed = await this.books.of(account, { from, to: end }, this.settings.gatewayTimeoutMs);
    const next = (fromMs: number, nextSliceMs: number, tries = 0): Promise<void> =>
      this.jobs.postpone(this.database, job, tries === 0 ? 0 : Math.min(RETRY_MS * 2 ** (tries - 1), RETRY_MS_MAX), { ...job.payload, from: String(fromMs), to: String(to.getTime()), slice: String(nextSliceMs), tries: String(tries) });
    if (listed === 'no_answer' || listed === 'too_many') {
      const tries = listed === 'no_answer' ? Number(job.payload.tries ?? '0') + 1 : 0;
      // A shorter slice is answered sooner, too.
      if (tries < TRIES_MAX && (sliceMs > SLICE_MS_MIN || listed === 'no_answer')) return next(from.getTime(), Math.max(SLICE_MS_MIN, Math.floor(sliceMs / 2)), tries);
      this.logger.error({ alert: true, gateway: account.gateway, accountId: account.id, from, to: end, msg: listed === 'no_answer' ? 'payments were not looked over: the gateway does not answer' : 'payments were not looked over: the gateway lists more of them than are read' });
      return end >= to ? this.jobs.complete(this.database, job) : next(end.getTime(), sliceMs);
    }
    let applied = 0;
    for (const snapshot of listed) if (await this.tryToCompare(account, snapshot)) applied += 1;
    if (listed.length > 0) this.logger.log({ gateway: account.gateway, seen: listed.length, applied, msg: 'payments were looked over' });
    return end >= to ? this.jobs.complete(this.database, job) : next(end.getTime(), Math.min(sliceMs * 2, SLICE_MS_MAX));
  }

  private sliceOf({ payload }: Job, account: GatewayAccount): { from: Date; to: Date; sliceMs: number } {
    const nowMs = this.clock.now().getTime();
    const { lagMs } = lookUpTimesOf(gatewayDefinition(account.gateway).profile, this.settings);
    return { from: new Date(Number(payload.from ?? nowMs - RANGE_MS)), to: new Date(Number(payload.to ?? nowMs - lagMs)), sliceMs: Number(payload.slice ?? SLICE_MS_MAX) };
  }

  /** Whether something had to be done. One payment that cannot be compared keeps none of the others from it. */
  private async tryToCompare(account: GatewayAccount, snapshot: PaymentSnapshot): Promise<boolean> {
    try {
      return await this.compare(account, snapshot);
    } catch (error) {
      if (isUnavailable(error)) throw error;
      this.logger.error({ err: error, alert: true, gateway: account.gateway, accountId: account.id, reference: snapshot.reference, ourReference: snapshot.ourReference, msg: 'a payment was not looked over' });
      return false;
    }
  }

  /** Whether something had to be done. */
  private async compare({ tenantId, gateway }: GatewayAccount, snapshot: PaymentSnapshot): Promise<boolean> {
    const { ourReference } = snapshot;
    // Money that was never ours: a merchant may use the PSP beside us.
    if (ourReference === null || !isId('att', ourReference)) return false;
    const row = await this.database.forTenant(tenantId).selectFrom('payment_attempts').selectAll().where('id', '=', ourReference).where('gateway', '=', gateway).executeTakeFirst();
    if (row === undefined) {
      await this.unknown.report(tenantId, snapshot);
      return false;
    }
    const attempt = attemptOf(row);
    // Its own call may still run, and is answered.
    if (attempt.status === 'sent') return false;
    const record = await this.store.record(this.database, tenantId, attempt.paymentId);
    const isHeardOf = await this.hearOfRefunds(record, snapshot);
    const isKnownDispute = snapshot.isDisputed !== true || await this.tickets.exists(tenantId, 'chargeback', attempt.id);
    if (isKnownDispute && !differs(record, snapshot)) return isHeardOf;
    await this.apply(attempt, snapshot);
    return true;
  }

  /** Refunds that people wait for are asked about again once the PSP shows more given back than is known to be done. */
  private async hearOfRefunds(record: PaymentRecord, { refunded }: PaymentSnapshot): Promise<boolean> {
    const parked = (refunded?.amountMinor ?? 0n) > refundedOf(record.refunds).succeededMinor ? parkedRefunds(record) : [];
    for (const attempt of parked) await this.jobs.put(this.database, lookUpJobOf(attempt, newId('job'), 0));
    return parked.length > 0;
  }

  private async apply(attempt: Attempt, snapshot: PaymentSnapshot): Promise<void> {
    const { profile } = gatewayDefinition(attempt.gateway);
    const times = lookUpTimesOf(profile, this.settings);
    await this.database.transaction(async (transaction) => {
      const applied = await this.applier.apply(transaction, {
        tenantId: attempt.tenantId, paymentId: attempt.paymentId, attemptId: attempt.id, cause: 'look_over', profile,
        decide: (_payment, current, now) => ({ observed: { kind: 'snapshot', snapshot }, attempt: current.nextLookUpAt === null ? planFirstLookUp(current, times, now) : current }),
      });
      await arrangeLookUp(this.jobs, transaction, applied.attempt, nextLookUpDueAt(applied.attempt, times, applied.now), applied.now);
    });
  }
}
