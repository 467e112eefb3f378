import type { Money } from '../../shared/money.js';
import type { Customer, PaymentMethodType, PaymentOrder } from '../contract/payment-gateway.js';
import { decimalOf } from '../contract/decimal.js';

/** Methods that are one payment method of MercadoPago's (psp/mercadopago.md §2.9). */
export const METHOD_IDS: Partial<Record<PaymentMethodType, string>> = { yape: 'yape', cash_voucher: 'pagoefectivo_atm' };

/** What MercadoPago calls the method; a card's brand the client must tell (`paymentMethodId`). */
export function paymentMethodId({ type, options }: Pick<PaymentOrder['method'], 'type' | 'options'>): string | undefined {
  const given = options?.paymentMethodId;
  return METHOD_IDS[type] ?? (typeof given === 'string' && /^[a-z0-9_]{1,30}$/.test(given) ? given : undefined);
}

/** `debvisa` and `debmaster` (§2.9), whose money is not reserved (§2.1). */
export function isDebit(method: Pick<PaymentOrder['method'], 'type' | 'options'>): boolean {
  return /^deb/.test(paymentMethodId(method) ?? '');
}

/** An order with a kept card is for the customer whose it is. */
export type ChargeableOrder = PaymentOrder & { customerId?: string };

/** What a marketplace keeps of a payment, in minor units (psp/mercadopago.md §1.2); undefined where the client names none. */
export function applicationFee({ options }: Pick<PaymentOrder['method'], 'options'>, { amountMinor, currency }: Money): Money | 'invalid' | undefined {
  const given = options?.applicationFee;
  if (given === undefined || given === null) return undefined;
  const isFee = typeof given === 'number' && Number.isSafeInteger(given) && given >= 0 && BigInt(given) <= amountMinor;
  return isFee ? { amountMinor: BigInt(given), currency } : 'invalid';
}

/** The body of POST /v1/payments (§2.1). `notification_url` is left out: it would take the place of the webhooks that the merchant set. */
export function paymentRequest(order: ChargeableOrder): Record<string, unknown> {
  const { amount, attemptId, paymentId, customer, method } = order;
  const issuer = method.options?.issuerId;
  const isCard = method.type === 'card';
  const fee = feeOf(order);
  return {
    transaction_amount: numberOf(amount),
    ...(method.token === '' ? {} : { token: method.token }),
    description: descriptionOf(order),
    ...(method.type === 'cash_voucher' ? {} : { installments: method.installments }),
    payment_method_id: paymentMethodId(method),
    ...(isCard && (typeof issuer === 'string' || typeof issuer === 'number') ? { issuer_id: String(issuer) } : {}),
    payer: { ...(order.customerId === undefined ? {} : { type: 'customer', id: order.customerId }), ...payerOf(customer) },
    // Nobody is there to answer the challenge of a renewal.
    ...(isCard ? { capture: order.capture === 'automatic', binary_mode: false, three_d_secure_mode: method.isMerchantInitiated === true ? 'not_supported' : 'optional' } : {}),
    ...(method.isMerchantInitiated === true ? { point_of_interaction: { transaction_data: { transaction_initiator: 'merchant', storage: 'stored' } } } : {}),
    ...(fee === undefined ? {} : { application_fee: numberOf(fee) }),
    external_reference: attemptId,
    metadata: { attempt_id: attemptId, payment_id: paymentId },
    ...(customer.ip === undefined ? {} : { additional_info: { ip_address: customer.ip } }),
  };
}

/** The body of POST /v1/orders (§5.2; for renewals and marketplaces the types of the SDK). */
export function orderRequest(order: ChargeableOrder): Record<string, unknown> {
  const { amount, attemptId, method } = order;
  const id = paymentMethodId(method);
  const isMerchantInitiated = method.isMerchantInitiated === true;
  const total = decimalOf(amount);
  const fee = feeOf(order);
  return {
    type: 'online', processing_mode: 'automatic', capture_mode: order.capture, total_amount: total, external_reference: attemptId, description: descriptionOf(order).slice(0, 150),
    ...(fee === undefined ? {} : { marketplace_fee: decimalOf(fee) }),
    payer: { ...(order.customerId === undefined ? {} : { customer_id: order.customerId }), ...payerOf(order.customer) },
    transactions: {
      payments: [{
        amount: total,
        payment_method: { id, type: isDebit(method) ? 'debit_card' : 'credit_card', token: method.token, installments: method.installments },
        ...(isMerchantInitiated ? { stored_credential: { payment_initiator: 'merchant', reason: 'unscheduled', store_payment_method: false, first_payment: false } } : {}),
      }],
    },
    config: { online: { transaction_security: { validation: isMerchantInitiated ? 'never' : 'on_fraud_risk', ...(isMerchantInitiated ? {} : { liability_shift: 'required' }) } } },
  };
}

/** A JSON number in major units. From decimal text: with at most 15 digits the number is written as it stands there. */
function numberOf(amount: Money): number {
  return Number(decimalOf(amount));
}

function descriptionOf({ description, paymentId }: PaymentOrder): string {
  return description ?? `Pago ${paymentId}`;
}

function feeOf({ method, amount }: PaymentOrder): Money | undefined {
  const fee = applicationFee(method, amount);
  return fee === 'invalid' ? undefined : fee;
}

function payerOf({ email, firstName, lastName, document }: Customer): Record<string, unknown> {
  return {
    email, ...(firstName === undefined ? {} : { first_name: firstName }), ...(lastName === undefined ? {} : { last_name: lastName }),
    ...(document === undefined ? {} : { identification: { type: document.type, number: document.number } }),
  };
}
