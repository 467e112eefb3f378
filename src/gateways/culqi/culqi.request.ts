import type { Customer, PaymentOrder } from '../contract/payment-gateway.js';

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

/** What Culqi takes of a customer: its name, what we know of it, and its lengths in characters (psp/culqi.md §§1.6, 1.8). */
function personalFields(customer: Customer): [name: string, field: string, value: string | undefined, min: number, max: number][] {
  return [
    ['first_name', 'firstName', customer.firstName, 2, 50],
    ['last_name', 'lastName', customer.lastName, 2, 50],
    ['address', 'address.line1', customer.address?.line1, 5, 100],
    ['address_city', 'address.city', customer.address?.city, 2, 30],
    ['country_code', 'country', customer.country, 2, 2],
    ['phone_number', 'phone', customer.phone?.replaceAll(/[^0-9+]/g, ''), 5, 15],
  ];
}

function antifraudDetails({ customer }: PaymentOrder): Record<string, string> {
  const fields = [...personalFields(customer), ['device_finger_print_id', 'deviceId', customer.deviceId, 1, 255] as const];
  return Object.fromEntries(fields.flatMap(([name, _field, value, min, max]) => (value !== undefined && value.length >= min ? [[name, cut(value, max)]] : [])));
}

/** The body of POST /customers: every field is required. */
export function customerRequest(customer: Customer): Record<string, string> {
  return { email: customer.email, ...Object.fromEntries(personalFields(customer).map(([name, _field, value, _min, max]) => [name, cut(value ?? '', max)])) };
}

/** What Culqi requires of a customer for whom it keeps a card, and is not known. */
export function missingToSave(customer: Customer): { field: string; message: string }[] {
  const short = personalFields(customer).filter(([_name, _field, value, min]) => (value?.length ?? 0) < min);
  return [
    ...(customer.email.length <= 50 ? [] : [{ field: 'customer.email', message: 'Culqi takes at most 50 characters.' }]),
    ...short.map(([_name, field, _value, min]) => ({ field: `customer.${field}`, message: `Culqi keeps a card only for a customer with this: at least ${min} characters.` })),
  ];
}

/** Cut after at most `max` UTF-16 units, never in the middle of a character. */
function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const head = text.slice(0, max);
  return /[\uD800-\uDBFF]$/.test(head) ? head.slice(0, -1) : head;
}
