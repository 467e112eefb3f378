import { GatewayError } from '../contract/gateway-error.js';
import type { PaymentOrder, RefundOrder } from '../contract/payment-gateway.js';

/**
 * The body of POST /v2/payments but for the key (psp/pixelpay.md §2.1). `webhook_url` is left out: the order carries none, the address is set in
 * PixelPay's dashboard.
 */
export function paymentRequest(order: PaymentOrder): Record<string, unknown> {
  // PixelPay has no field for either and would take all of the money at once.
  if (order.capture !== 'automatic') throw new GatewayError('request_rejected', 'PixelPay captures at once', { field: 'captureMethod' });
  if (order.method.installments > 1) throw new GatewayError('request_rejected', 'PixelPay takes no instalments', { field: 'paymentMethod.installments' });
  return {
    amount: Number(order.amount.amountMinor),
    currency: order.amount.currency,
    card_token: order.method.token,
    customer_email: order.customer.email,
    order_id: order.attemptId,
    ...(order.description === null ? {} : { description: order.description }),
    metadata: { payment_id: order.paymentId },
  };
}

/** The body of POST /v2/payments/{txn_id}/refunds but for the key. There is no field for the reason. */
export function refundRequest({ amount, attemptId }: RefundOrder): Record<string, unknown> {
  return { amount: Number(amount.amountMinor), refund_id: attemptId };
}
