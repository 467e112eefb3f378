import type { Database } from '../platform/database/database.js';
import type { PageStart } from '../platform/http/pagination.js';
import { isId } from '../shared/id.js';
import { Problem } from '../shared/problem.js';
import { refundOf } from './payment-rows.js';
import type { PaymentStore } from './payment-store.js';
import type { PaymentsService } from './payments.service.js';
import type { Refund, RefundStatus } from './refund.js';

export type RefundFilter = { paymentId?: string | undefined; statuses?: readonly RefundStatus[] | undefined; from?: Date | undefined; to?: Date | undefined };

/** Reads refunds. One that is in doubt is looked up soon afterwards; nobody waits for a PSP. */
export class Refunds {
  constructor(private readonly database: Database, private readonly store: PaymentStore, private readonly payments: PaymentsService) {}

  /** @throws Problem `not_found` */
  async find(tenantId: string, refundId: string): Promise<Refund> {
    const row = isId('rfd', refundId)
      ? await this.database.forTenant(tenantId).selectFrom('refunds').selectAll().where('id', '=', refundId).executeTakeFirst() : undefined;
    if (row === undefined) throw new Problem('not_found', 'There is no such refund.');
    const refund = refundOf(row);
    if (refund.status === 'submitted') await this.payments.pullForward(await this.store.record(this.database, tenantId, refund.paymentId));
    return refund;
  }

  /** The refunds of a payment, newest first. @throws Problem `not_found` */
  async ofPayment(tenantId: string, paymentId: string): Promise<Refund[]> {
    return (await this.payments.get(tenantId, paymentId)).refunds.toReversed();
  }

  /** Refunds of a tenant, newest first, at most `limit`. */
  async search(tenantId: string, filter: RefundFilter, after: PageStart | null, limit: number): Promise<Refund[]> {
    let query = this.database.forTenant(tenantId).selectFrom('refunds').selectAll();
    if (filter.paymentId !== undefined) query = query.where('payment_id', '=', filter.paymentId);
    if (filter.statuses !== undefined) query = query.where('status', 'in', filter.statuses);
    if (filter.from !== undefined) query = query.where('created_at', '>=', filter.from);
    if (filter.to !== undefined) query = query.where('created_at', '<', filter.to);
    if (after !== null) {
      query = query.where((row) => row.or([row('created_at', '<', after.createdAt), row.and([row('created_at', '=', after.createdAt), row('id', '<', after.id)])]));
    }
    const rows = await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
    return rows.map(refundOf);
  }
}
