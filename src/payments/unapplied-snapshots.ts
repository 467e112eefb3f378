import { gatewayDefinition } from '../gateways/gateways.js';
import type { Database } from '../platform/database/database.js';
import type { IdempotencyKeys, KeyedRequest, NewAnswer } from '../platform/idempotency/idempotency-keys.js';
import type { Job, JobQueue } from '../platform/jobs/job-queue.js';
import type { JobHandler } from '../platform/jobs/job-runner.js';
import { newId } from '../shared/id.js';
import { isCurrency } from '../shared/currency.js';
import type { Answered } from './observed.js';
import type { CallResult } from './gateway-caller.js';
import { nextLookUpDueAt, planFirstLookUp } from './look-up-plan.js';
import { lookUpTimesOf, type LookUpSettings } from './look-up-times.js';
import { arrangeLookUp, type PaymentApplier } from './payment-applier.js';
import type { PaymentStore } from './payment-store.js';

export const APPLY_JOB = 'payments.apply';

/** Keeps what the PSP told us when it cannot be applied, for a reason that a retry cannot mend, and applies it later (architecture §5). */
export class UnappliedSnapshots implements JobHandler {
  readonly kind = APPLY_JOB;

  constructor(
    private readonly database: Database,
    private readonly store: PaymentStore,
    private readonly keys: IdempotencyKeys,
    private readonly applier: PaymentApplier,
    private readonly jobs: JobQueue,
    private readonly settings: LookUpSettings,
  ) {}

  /** Stores the snapshot on the attempt alone, a job that applies it, and the answer that is given meanwhile. False when another has answered under the key: then that answer stands. */
  async keep({ request, attemptId, result, answer }: { request: KeyedRequest; attemptId: string; result: CallResult; answer: NewAnswer }): Promise<boolean> {
    const { tenantId } = request;
    const id = newId('job');
    return this.database.transaction(async (transaction) => {
      const { observed } = result;
      if (observed.kind === 'snapshot' || observed.kind === 'refund') await this.store.keepUnapplied(transaction, tenantId, attemptId, written(observed));
      await this.jobs.enqueue(transaction, { id, kind: APPLY_JOB, tenantId, payload: { attemptId }, uniqueKey: `apply:${attemptId}`, delayMs: 1_000 });
      return this.keys.finish(transaction, tenantId, request.key, request.owner, answer);
    });
  }

  async handle(job: Job): Promise<void> {
    const { tenantId, payload } = job;
    const attemptId = payload.attemptId ?? '';
    await this.database.transaction(async (transaction) => {
      const kept = await this.store.unapplied(transaction, tenantId, attemptId);
      if (kept !== null) {
        const { paymentId, gateway } = await this.store.attempt(transaction, tenantId, attemptId);
        const { profile } = gatewayDefinition(gateway);
        const times = lookUpTimesOf(profile, this.settings);
        const { attempt, now } = await this.applier.apply(transaction, {
          tenantId, paymentId, attemptId, cause: 'reply', profile,
          decide: (_payment, current, at) => ({ observed: read(kept), attempt: planFirstLookUp(current, times, at) }),
        });
        await this.store.keepUnapplied(transaction, tenantId, attemptId, null);
        await arrangeLookUp(this.jobs, transaction, attempt, nextLookUpDueAt(attempt, times, now), now);
      }
      await this.jobs.complete(transaction, job);
    });
  }
}

/** What the PSP answered as JSON text: without the raw answer, amounts as text with their currency. */
function written(answered: Answered): string {
  return JSON.stringify(answered, (name, value: unknown) => (name === 'raw' ? null : typeof value === 'bigint' ? { minor: value.toString() } : value));
}

function read(text: string): Answered {
  return JSON.parse(text, (name, value: unknown) => {
    if (typeof value === 'object' && value !== null && 'minor' in value && typeof value.minor === 'string') return BigInt(value.minor);
    if (name === 'expiresAt' && typeof value === 'string') return new Date(value);
    if (name === 'currency' && !isCurrency(value)) throw new RangeError('a kept snapshot names an unknown currency');
    return value;
  }) as Answered;
}
