import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import type { Answer, Merchant, Service } from './service.js';
import { rememberCanaries } from './settings.js';

/** The parts of a payment that tests look at. */
export type PaymentBody = {
  id: string; version: number; status: string; processingReason: string | null; amount: number; amountCaptured: number; currency: string;
  fee: number | null; net: number | null; feeSource: string | null; feeBreakdown: object | null; gateway: string | null; gatewayReference: string | null;
  reference: string | null; failure: { code: string; pspCode: string | null; userMessage: string; retryable: boolean } | null;
  nextAction: { type: string; gateway: string; publicKey: string; expiresAt: string } | null;
  paymentMethod: Record<string, unknown> | null; attempts: { id: string; operation: string; status: string; gatewayReference: string | null; code: string | null; pspCode: string | null }[];
  amountRefunded: number; amountRefundPending: number; refunds: RefundBody[]; threeDs: Record<string, string> | null; fraudScore: number | null; savings: number | null;
  customer: Record<string, unknown>; metadata: Record<string, string>; expiresAt: string | null; createdAt: string;
};
/** A refund as the API shows it. */
export type RefundBody = {
  id: string; paymentId: string; amount: number; currency: string; status: string; origin: string; reason: string | null; gatewayReference: string | null;
  failure: { code: string; message: string; userMessage: string } | null;
};
export type ProblemBody = { code: string; status: number; title: string; detail: string; traceId: string; instance: string; errors?: { field: string; message: string }[]; existingId?: string };

export const VISA = { number: '4111111111111111', cvv: '123' };

/** A card token from the emulator, minted as a browser would. */
export async function mintToken(sandboxUrl: string, merchant: Merchant, card: { number: string; cvv: string } = VISA, email = 'ana@ejemplo.pe'): Promise<string> {
  const response = await fetch(`${sandboxUrl}/v2/tokens`, {
    method: 'POST', headers: { authorization: `Bearer ${merchant.culqi.publicKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ card_number: card.number, cvv: card.cvv, expiration_month: '12', expiration_year: '2030', email }),
  });
  const { id } = await response.json() as { id: string };
  if (id === undefined) throw new Error(`the emulator minted no token: ${response.status}`);
  rememberCanaries([id]);
  return id;
}

/** The body of an ordinary payment. */
export function paymentOf(token: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    amount: 12_900, currency: 'PEN', description: 'Plan Starter, 1 mes', customer: { email: 'ana@ejemplo.pe', firstName: 'Ana', lastName: 'Rojas' },
    paymentMethod: { type: 'card', tokens: { culqi: token } }, ...changes,
  };
}

export function createPayment(service: Pick<Service, 'ask'>, key: string, body: unknown, idempotencyKey: string = randomUUID()): Promise<Answer<PaymentBody>> {
  return service.ask<PaymentBody>({ method: 'POST', path: '/v1/payments', key, body, headers: { 'idempotency-key': idempotencyKey } });
}

export async function readPayment(service: Pick<Service, 'ask'>, key: string, id: string): Promise<PaymentBody> {
  return (await service.ask<PaymentBody>({ path: `/v1/payments/${id}`, key })).body;
}

/** Waits until the payment leaves `processing`, at most `withinMs`. */
export async function settled(service: Pick<Service, 'ask'>, key: string, id: string, withinMs = 15_000): Promise<PaymentBody> {
  for (const endsAt = Date.now() + withinMs; ;) {
    const payment = await readPayment(service, key, id);
    if (payment.status !== 'processing' || Date.now() > endsAt) return payment;
    await sleep(50);
  }
}

/** Charges of a merchant in the emulator's books that took money. */
export function approvedCharges(service: Pick<Service, 'sandbox'>, merchant: Merchant) {
  return service.sandbox.books.charges(merchant.culqi.merchant).filter(({ approved }) => approved);
}

/** Refunds a payment; everything that is left unless the body says otherwise. */
export function refundPayment(service: Pick<Service, 'ask'>, key: string, paymentId: string, body: unknown = {}, idempotencyKey: string = randomUUID()): Promise<Answer<RefundBody>> {
  return service.ask<RefundBody>({ method: 'POST', path: `/v1/payments/${paymentId}/refunds`, key, body, headers: { 'idempotency-key': idempotencyKey } });
}

/** Waits until `isThere` says so of what `read` gives, at most `withinMs`; gives what was read last. */
export async function eventually<T>(read: () => Promise<T> | T, isThere: (value: T) => boolean, withinMs = 15_000): Promise<T> {
  for (const endsAt = Date.now() + withinMs; ;) {
    const value = await read();
    if (isThere(value) || Date.now() > endsAt) return value;
    await sleep(50);
  }
}

/** A captured payment at Culqi. */
export async function paidAtCulqi(service: Pick<Service, 'ask' | 'sandbox'>, merchant: Merchant, changes: Record<string, unknown> = {}): Promise<PaymentBody> {
  const { body } = await createPayment(service, merchant.client, paymentOf(await mintToken(service.sandbox.url, merchant), { gateway: 'culqi', ...changes }));
  if (body.status !== 'captured') throw new Error(`the payment is ${body.status}`);
  return body;
}

/** A card token of PixelPay's, minted as a browser would. */
export async function mintPixelpayToken(pixelpayUrl: string, { pixelpay }: Merchant, number = VISA.number): Promise<string> {
  const response = await fetch(`${pixelpayUrl}/v2/tokens`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ public_key: pixelpay.publicKey, card_number: number, cvv: '123', expiry_month: 12, expiry_year: 2030 }),
  });
  const { card_token: token } = await response.json() as { card_token: string };
  rememberCanaries([token]);
  return token;
}

/** The body of an ordinary payment through PixelPay. */
export function pixelpayPaymentOf(token: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return paymentOf('', { currency: 'DOP', gateway: 'pixelpay', paymentMethod: { type: 'card', tokens: { pixelpay: token } }, ...changes });
}
