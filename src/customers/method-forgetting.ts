import { Logger } from '@nestjs/common';
import { GatewayError } from '../gateways/contract/gateway-error.js';
import { supports } from '../gateways/contract/payment-gateway.js';
import type { SecretBox } from '../platform/crypto/secret-box.js';
import type { Database, Transaction } from '../platform/database/database.js';
import type { Job, JobQueue } from '../platform/jobs/job-queue.js';
import type { JobHandler } from '../platform/jobs/job-runner.js';
import { newId } from '../shared/id.js';
import type { GatewayAccount } from '../tenants/gateway-accounts.js';
import type { CardVaults } from './card-vaults.js';
import type { CustomerForgetting } from './customer-forgetting.js';
import type { SavedMethodRow } from './entities/saved-method.entity.js';

export const FORGET_METHOD_JOB = 'customers.forget_method';

/** A card, and the PSP that keeps it. */
type Kept = Pick<SavedMethodRow, 'id' | 'gateway'>;

/** A row of a card that leaves. */
type Leaving = SavedMethodRow & { leaving_at: Date };

/**
 * Has PSPs forget cards. A card that leaves is nobody's from then on: not listed, not charged. Its row stays until its PSP has said that it is gone, for which
 * a job asks until it does. A card that a PSP was asked to keep is such a row too, until the answer is there: so that whatever becomes of us, it is not forgotten.
 */
export class MethodForgetting implements JobHandler {
  readonly kind = FORGET_METHOD_JOB;
  private readonly logger = new Logger(MethodForgetting.name);

  /** `callMs`, `jobCallMs`: how long a PSP may take, while somebody waits and in a job. */
  constructor(
    private readonly database: Database, private readonly vaults: CardVaults, private readonly customers: CustomerForgetting, private readonly jobs: JobQueue, private readonly secretBox: SecretBox,
    private readonly settings: { callMs: number; jobCallMs: number },
  ) {}

  /** Has cards leave that are kept, under their customer's lock; a job asks their PSPs in `delayMs`. */
  async leave(transaction: Transaction, tenantId: string, kept: readonly Kept[], at: Date, delayMs: number): Promise<void> {
    if (kept.length === 0) return;
    await transaction.forTenant(tenantId).updateTable('saved_methods').set({ leaving_at: at, is_default: 0, updated_at: at }).where('id', 'in', kept.map(({ id }) => id)).execute();
    for (const method of kept) await this.arrange(transaction, tenantId, method, delayMs);
  }

  /** A job asks the PSP in `delayMs`, unless the card is kept by then. */
  async arrange(transaction: Transaction, tenantId: string, { id, gateway }: Kept, delayMs: number): Promise<void> {
    await this.jobs.enqueue(transaction, { id: newId('job'), kind: FORGET_METHOD_JOB, tenantId, payload: { methodId: id }, uniqueKey: jobKey(id), lane: gateway, delayMs });
  }

  /** The row goes, and with it what was to be done about it: nothing is kept at the PSP, or it is kept after all. */
  async drop(transaction: Transaction, tenantId: string, id: string): Promise<void> {
    await transaction.forTenant(tenantId).deleteFrom('saved_methods').where('id', '=', id).where('leaving_at', 'is not', null).execute();
    await this.stay(transaction, id);
  }

  /** The card is kept. */
  async stay(transaction: Transaction, id: string): Promise<void> {
    await this.jobs.drop(transaction, jobKey(id));
  }

  /** Asks the PSP once, while somebody waits. Whatever comes of it, the card has left; unless the PSP says that it is gone, the job asks again. */
  async tryNow(tenantId: string, id: string): Promise<void> {
    try {
      const row = await this.leaving(tenantId, id);
      if (row?.reference_sealed == null) return;
      await this.askFor(await this.vaults.keeperOf(this.database, row), tenantId, row.reference_sealed, this.settings.callMs);
      await this.database.transaction((transaction) => this.drop(transaction, tenantId, id));
    } catch (error) {
      this.reportAskedAgain(error, id);
    }
  }

  /** What a PSP has just kept is nobody's: its customer was erased meanwhile, or it could not be written. Where the database is away, the PSP is asked all the same. */
  async undo(row: Leaving & { reference_sealed: string }, account: GatewayAccount): Promise<void> {
    const { tenant_id: tenantId, id, ...columns } = row;
    try {
      await this.database.transaction(async (transaction) => {
        const methods = transaction.forTenant(tenantId);
        const now = await methods.selectFrom('saved_methods').select('leaving_at').where('id', '=', id).forUpdate().executeTakeFirst();
        // It was written after all, and only the answer to the COMMIT was lost.
        if (now?.leaving_at === null) return;
        if (now === undefined) await methods.insertInto('saved_methods', { id, ...columns }).execute();
        else await methods.updateTable('saved_methods').set({ reference_sealed: row.reference_sealed }).where('id', '=', id).execute();
        await this.arrange(transaction, tenantId, row, this.settings.callMs);
      });
    } catch (error) {
      this.logger.error({ err: error, methodId: id, msg: 'a payment method that is nobody\'s could not be noted' });
      await this.askFor(account, tenantId, row.reference_sealed, this.settings.callMs).catch((trouble: unknown) => { this.reportAskedAgain(trouble, id); });
      return;
    }
    await this.tryNow(tenantId, id);
  }

  async handle(job: Job): Promise<void> {
    const row = await this.leaving(job.tenantId, job.payload.methodId ?? '');
    if (row?.reference_sealed === null) return this.giveUp(job, row);
    if (row !== undefined) await this.askFor(await this.vaults.keeperOf(this.database, row), job.tenantId, row.reference_sealed, this.settings.jobCallMs);
    await this.database.transaction(async (transaction) => {
      if (row !== undefined) await transaction.forTenant(job.tenantId).deleteFrom('saved_methods').where('id', '=', row.id).where('leaving_at', 'is not', null).execute();
      await this.jobs.complete(transaction, job);
    });
  }

  /**
   * The PSP was asked to keep the card, and its answer never came: nobody knows what it calls the card, if it kept it. So it is asked to forget the customer, with
   * every card. Where others share the customer there, it stays: a card that nobody can charge, until the last of them is forgotten.
   * The row goes in the same transaction: an answer that comes still finds nothing to be written to, and the PSP is asked to forget (undo).
   */
  private async giveUp(job: Job, row: Leaving): Promise<void> {
    const account = await this.vaults.keeperOf(this.database, row);
    await this.database.transaction(async (transaction) => {
      const tenant = transaction.forTenant(job.tenantId);
      const { numDeletedRows } = await tenant.deleteFrom('saved_methods').where('id', '=', row.id).where('leaving_at', 'is not', null).where('reference_sealed', 'is', null).executeTakeFirstOrThrow();
      // Of an erased customer all accounts are asked in any case.
      const customer = await tenant.selectFrom('customers').select(['id', 'email']).where('id', '=', row.customer_id).where('erased_at', 'is', null).executeTakeFirst();
      if (numDeletedRows > 0n && customer !== undefined && account !== null) await this.customers.arrange(transaction, job.tenantId, customer, [account], 0);
      await this.jobs.complete(transaction, job);
    });
  }

  private async leaving(tenantId: string, id: string): Promise<Leaving | undefined> {
    const row = await this.database.forTenant(tenantId).selectFrom('saved_methods').selectAll().where('id', '=', id).where('leaving_at', 'is not', null).executeTakeFirst();
    return row as Leaving | undefined;
  }

  /** Without an account there is nobody to ask. @throws GatewayError when the PSP does not say that the card is gone */
  private async askFor(account: GatewayAccount | null, tenantId: string, referenceSealed: string, withinMs: number): Promise<void> {
    if (account === null) return;
    const gateway = this.vaults.open(account, withinMs);
    if (supports(gateway, 'deletePaymentMethod')) await gateway.deletePaymentMethod(this.secretBox.open(referenceSealed, tenantId));
  }

  private reportAskedAgain(error: unknown, methodId: string): void {
    const msg = 'the gateway did not forget a payment method; it is asked again';
    if (error instanceof GatewayError) this.logger.warn({ methodId, kind: error.kind, pspCode: error.pspCode, alert: error.kind === 'credentials_rejected', msg });
    else this.logger.error({ err: error, methodId, msg });
  }
}

function jobKey(id: string): string {
  return `${FORGET_METHOD_JOB}:${id}`;
}
