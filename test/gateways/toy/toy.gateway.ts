import { z } from 'zod';
import { GatewayError } from '../../../src/gateways/contract/gateway-error.js';
import type { GatewayContext, PaymentGateway, PaymentOrder, PaymentSnapshot } from '../../../src/gateways/contract/payment-gateway.js';
import { isCurrency } from '../../../src/shared/currency.js';
import { ToyClient, type ToyAnswer } from './toy.client.js';

export type ToyCredentials = { secretKey: string };

const REFERENCE = /^toy_[0-9]{6}$/;
const paymentSchema = z.object({ ref: z.string().regex(REFERENCE), id: z.string().nullable(), minor: z.int().nonnegative(), cur: z.string(), state: z.string(), why: z.string().optional() });

/** Toy: two verbs, which every gateway has. */
export class ToyGateway implements PaymentGateway {
  private readonly client: ToyClient;

  constructor(context: GatewayContext<ToyCredentials>) {
    this.client = new ToyClient(context);
  }

  async createPayment({ attemptId, amount, method, description, customer }: PaymentOrder): Promise<PaymentSnapshot> {
    return snapshotIn(await this.client.pay({ id: attemptId, minor: Number(amount.amountMinor), cur: amount.currency, token: method.token, note: description, customer }));
  }

  async fetchPayment(reference: string): Promise<PaymentSnapshot> {
    if (!REFERENCE.test(reference)) throw new GatewayError('request_rejected', 'this is no reference of Toy');
    const answer = await this.client.get(reference);
    if (answer.status === 404) throw new GatewayError('payment_not_found', 'Toy knows no such payment');
    return snapshotIn(answer);
  }
}

function snapshotIn({ status, body }: ToyAnswer): PaymentSnapshot {
  const payment = status === 200 ? paymentSchema.safeParse(body).data : undefined;
  if (status === 401) throw new GatewayError('credentials_rejected', 'Toy does not accept the key');
  if (status === 429) throw new GatewayError('rate_limited', 'Toy takes no more requests for now');
  if (payment === undefined) throw new GatewayError('outcome_unknown', `Toy answered ${status}`);
  const amount = isCurrency(payment.cur) ? { amountMinor: BigInt(payment.minor), currency: payment.cur } : null;
  const facts = { reference: payment.ref, ourReference: payment.id, amount, captured: null, refunded: amount === null ? null : { ...amount, amountMinor: 0n }, pspCode: payment.state, raw: payment };
  if (payment.state === 'paid') return { ...facts, status: 'captured', captured: amount };
  if (payment.state === 'no') return { ...facts, status: 'declined', decline: { code: 'card_declined', pspCode: payment.why ?? 'no', message: 'The card was declined.', retryable: false } };
  return { ...facts, status: 'pending', unmapped: payment.state };
}
