import type { PaymentMethodType, PaymentOrder } from '../contract/payment-gateway.js';
import { decimalOf } from '../contract/decimal.js';

/** Methods that are one payment method of MercadoPago's (psp/mercadopago.md §2.9). */
const METHOD_IDS: Partial<Record<PaymentMethodType, string>> = { yape: 'yape', cash_voucher: 'pagoefectivo_atm' };

/** What MercadoPago calls the method; a card's brand the client must tell (`paymentMethodId`). */
export function paymentMethodId({ type, options }: Pick<PaymentOrder['method'], 'type' | 'options'>): string | undefined {
  const given = options?.paymentMethodId;
  return METHOD_IDS[type] ?? (typeof given === 'string' && /^[a-z0-9_]{1,30}$/.test(given) ? given : undefined);
}

/** An order with a kept card is for the customer whose it is. */
export type KeptOrder = PaymentOrder & { customerId?: string };

/** The body of POST /v1/payments (§2.1). `notification_url` is left out: it would take the place of the webhooks that the merchant set. */
export function paymentRequest(order: KeptOrder): Record<string, unknown> {
  const { amount, attemptId, paymentId, customer, method } = order;
  const issuer = method.options?.issuerId;
  const isCard = method.type === 'card';
  return {
    // A JSON number in major units. From decimal text: with at most 15 digits the number is written as it stands there.
    transaction_amount: Number(decimalOf(amount)),
    ...(method.token === '' ? {} : { token: method.token }),
    description: order.description ?? `Pago ${paymentId}`,
    ...(method.type === 'cash_voucher' ? {} : { installments: method.installments }),
    payment_method_id: paymentMethodId(method),
    ...(isCard && (typeof issuer === 'string' || typeof issuer === 'number') ? { issuer_id: String(issuer) } : {}),
    payer: {
      ...(order.customerId === undefined ? {} : { type: 'customer', id: order.customerId }),
      email: customer.email, ...(customer.firstName === undefined ? {} : { first_name: customer.firstName }), ...(customer.lastName === undefined ? {} : { last_name: customer.lastName }),
      ...(customer.document === undefined ? {} : { identification: { type: customer.document.type, number: customer.document.number } }),
    },
    ...(isCard ? { capture: order.capture === 'automatic', binary_mode: false, three_d_secure_mode: 'optional' } : {}),
    external_reference: attemptId,
    metadata: { attempt_id: attemptId, payment_id: paymentId },
    ...(customer.ip === undefined ? {} : { additional_info: { ip_address: customer.ip } }),
  };
}
