import { toJsonAmount } from '../shared/money.js';
import type { RefundDto } from './dto/refund.dto.js';
import { failureView } from './failure-view.js';
import type { Refund } from './refund.js';

/** A refund as the API shows it (design/api.md, "Payments"). */
export function refundView(refund: Refund, locale: string): RefundDto {
  return {
    id: refund.id, version: refund.version, paymentId: refund.paymentId, amount: toJsonAmount(refund.amount.amountMinor), currency: refund.amount.currency,
    status: refund.status, origin: refund.origin, reason: refund.reason, failure: failureView(refund.failure, locale), gatewayReference: refund.gatewayReference,
    createdAt: refund.createdAt.toISOString(), updatedAt: refund.updatedAt.toISOString(),
  };
}
