import type { DatabaseAccess } from '../platform/database/database.js';
import type { PageStart } from '../platform/http/pagination.js';
import type { PaymentStatus } from './payment-state.js';
import { attemptOf, paymentOf, refundOf } from './payment-rows.js';
import type { PaymentRecord } from './payment.js';

export type PaymentFilter = {
  reference?: string | undefined;
  statuses?: readonly PaymentStatus[] | undefined;
  gateway?: string | undefined;
  customerId?: string | undefined;
  gatewayReference?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
};

/** Finds payments of a tenant, newest first, at most `limit`. Pages are stable under inserts: each begins after a payment, not at a number. */
export async function searchPayments(access: DatabaseAccess, tenantId: string, filter: PaymentFilter, after: PageStart | null, limit: number): Promise<PaymentRecord[]> {
  let query = access.forTenant(tenantId).selectFrom('payments').selectAll();
  if (filter.reference !== undefined) query = query.where('reference', '=', Buffer.from(filter.reference));
  if (filter.statuses !== undefined) query = query.where('status', 'in', filter.statuses);
  if (filter.gateway !== undefined) query = query.where('gateway', '=', filter.gateway);
  if (filter.gatewayReference !== undefined) query = query.where('gateway_reference', '=', Buffer.from(filter.gatewayReference));
  if (filter.customerId !== undefined) query = query.where('customer_id', '=', filter.customerId);
  if (filter.from !== undefined) query = query.where('created_at', '>=', filter.from);
  if (filter.to !== undefined) query = query.where('created_at', '<', filter.to);
  if (after !== null) {
    query = query.where((row) => row.or([row('created_at', '<', after.createdAt), row.and([row('created_at', '=', after.createdAt), row('id', '<', after.id)])]));
  }
  const rows = await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
  if (rows.length === 0) return [];
  const attempts = await access.forTenant(tenantId).selectFrom('payment_attempts').selectAll()
    .where('payment_id', 'in', rows.map(({ id }) => id)).orderBy('sent_at').orderBy('id').execute();
  const refunded = rows.filter(({ refund_count: count }) => count > 0).map(({ id }) => id);
  const refunds = refunded.length === 0 ? [] : await access.forTenant(tenantId).selectFrom('refunds').selectAll().where('payment_id', 'in', refunded).orderBy('id').execute();
  return rows.map((row) => ({
    payment: paymentOf(row), attempts: attempts.filter(({ payment_id: owner }) => owner === row.id).map(attemptOf),
    refunds: refunds.filter(({ payment_id: owner }) => owner === row.id).map(refundOf),
  }));
}
