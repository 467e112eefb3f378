import type { IdempotencyKeys, KeyRecord, StoredAnswer } from '../platform/idempotency/idempotency-keys.js';
import type { Database, Transaction } from '../platform/database/database.js';
import type { Job } from '../platform/jobs/job-queue.js';
import { newId } from '../shared/id.js';
import { gatewayDefinition } from '../gateways/gateways.js';
import { answerWith } from './answer.js';
import { planFirstLookUp } from './look-up-plan.js';
import { lookUpTimesOf, type LookUpSettings } from './look-up-times.js';
import type { Applied, PaymentApplier } from './payment-applier.js';
import type { PaymentResolver } from './payment-resolver.js';
import type { PaymentStore } from './payment-store.js';

/** Longest look-up while somebody waits for the answer (architecture §5). */
export const INLINE_LOOK_UP_MS = 3_000;

/**
 * Finishes a request whose owner is gone: its process died, or it stands still. The PSP is never asked to create again; the attempt is
 * unknown until a look-up says more, and what is known then is stored as the answer (architecture §6).
 */
export class KeyTakeover {
  constructor(
    private readonly database: Database,
    private readonly keys: IdempotencyKeys,
    private readonly store: PaymentStore,
    private readonly applier: PaymentApplier,
    private readonly resolver: PaymentResolver,
    private readonly settings: LookUpSettings,
  ) {}

  /** Takes the key over and answers; null when its owner, or another, was quicker. */
  async finish(tenantId: string, record: KeyRecord, job?: Job): Promise<StoredAnswer | null> {
    const { attemptId } = record;
    if (attemptId === null) throw new Error('a running key is tied to an attempt');
    const owner = newId('idk');
    if (!await this.database.transaction((transaction) => this.keys.takeOver(transaction, tenantId, record, owner))) return null;

    await this.markUnknown(tenantId, attemptId);
    const locale = await this.localeOf(tenantId);
    let stored: StoredAnswer | null = null;
    // In one transaction: a job that is done with the attempt would not come back for the answer.
    const also = async (transaction: Transaction, resolved: Applied): Promise<void> => {
      const answer = answerWith(resolved, resolved.attempt.refundId, record.successStatus, locale);
      stored = await this.keys.finish(transaction, tenantId, record.key, owner, answer) ? answer : null;
    };
    await this.resolver.lookUp(tenantId, attemptId, INLINE_LOOK_UP_MS, job === undefined ? { also } : { job, also });
    return stored;
  }

  private async markUnknown(tenantId: string, attemptId: string): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const { paymentId, gateway } = await this.store.attempt(transaction, tenantId, attemptId);
      const { profile } = gatewayDefinition(gateway);
      await this.applier.apply(transaction, {
        tenantId, paymentId, attemptId, cause: 'takeover', profile,
        decide: (_payment, attempt, now) => ({
          observed: { kind: 'unknown', detail: 'the process that made the call did not finish' },
          attempt: attempt.status === 'sent' ? planFirstLookUp(attempt, lookUpTimesOf(profile, this.settings), now) : attempt,
        }),
      });
    });
  }

  private async localeOf(tenantId: string): Promise<string> {
    const tenant = await this.database.acrossTenants().selectFrom('tenants').select('locale').where('id', '=', tenantId).executeTakeFirst();
    return tenant?.locale ?? 'es';
  }
}
