import type { PaymentOrder } from '../contract/payment-gateway.js';

/** What Culqi takes of a description, in characters (psp/culqi.md §1.6). */
const DESCRIPTION = { min: 5, max: 80 };

/** The body of POST /charges. What is optional and outside Culqi's limits is cut or left out rather than let it spoil the payment. */
export function chargeRequest(order: PaymentOrder): Record<string, unknown> {
  const { amount, customer, method } = order;
  const antifraud = antifraudDetails(order);
  return {
    // A number: the API documents an integer (the SDK's type says string).
    amount: Number(amount.amountMinor),
    currency_code: amount.currency,
    email: customer.email,
    source_id: method.token,
    capture: order.capture === 'automatic',
    description: descriptionOf(order),
    // The same charge again, with what the customer's authentication brought (psp/culqi.md §1.6).
    ...(order.authentication === undefined ? {} : { authentication_3DS: order.authentication }),
    // One payment at once is told by leaving the field out: the documented values are 2 to 48.
    ...(method.installments > 1 ? { installments: method.installments } : {}),
    metadata: { attempt_id: order.attemptId, payment_id: order.paymentId },
    ...(Object.keys(antifraud).length === 0 ? {} : { antifraud_details: antifraud }),
  };
}

function descriptionOf({ description, paymentId }: PaymentOrder): string {
  const given = description ?? `Pago ${paymentId}`;
  return cut(given, DESCRIPTION.max).padEnd(DESCRIPTION.min, '.');
}

function antifraudDetails({ customer }: PaymentOrder): Record<string, string> {
  const phone = customer.phone?.replaceAll(/[^0-9+]/g, '');
  const fields: [string, string | undefined, number, number][] = [
    ['first_name', customer.firstName, 2, 50],
    ['last_name', customer.lastName, 2, 50],
    ['address', customer.address?.line1, 5, 100],
    ['address_city', customer.address?.city, 2, 30],
    ['country_code', customer.country, 2, 2],
    ['phone_number', phone, 5, 15],
    ['device_finger_print_id', customer.deviceId, 1, 255],
  ];
  return Object.fromEntries(fields.flatMap(([name, value, min, max]) => (value !== undefined && value.length >= min ? [[name, cut(value, max)]] : [])));
}

/** Cut after at most `max` UTF-16 units, never in the middle of a character. */
function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const head = text.slice(0, max);
  return /[\uD800-\uDBFF]$/.test(head) ? head.slice(0, -1) : head;
}
