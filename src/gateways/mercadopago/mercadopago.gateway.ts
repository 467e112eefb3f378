import { GatewayError } from '../contract/gateway-error.js';
import type {
  AttemptReference, CaptureOrder, Customer, GatewayContext, OperationOrder, PaymentGateway, PaymentOrder, PaymentSnapshot, RefundOrder, RefundReference, RefundSnapshot, SavedMethodSnapshot, SaveMethodOrder, WebhookDelivery, WebhookNotice,
} from '../contract/payment-gateway.js';
import { decimalOf } from '../contract/decimal.js';
import { MercadopagoClient, type MercadopagoAnswer, type MercadopagoCredentials } from './mercadopago.client.js';
import { paymentRequest, type KeptOrder } from './mercadopago.request.js';
import { keptCard, paymentSnapshot, refundSnapshot } from './mercadopago.snapshot.js';
import { isAbsence, troubleOf } from './mercadopago.trouble.js';
import { cardSchema, cardTokenSchema, customerSchema, customerSearchSchema, PAYMENT_ID, paymentSchema, refundListSchema, refundSchema, searchSchema } from './mercadopago.types.js';
import { readWebhook } from './mercadopago.webhook.js';

/** The search for a lost payment: from before it was sent until after it could last have been; ours are told by our reference, so one page is plenty. */
const SEARCH = { beforeMs: 60 * 60_000, afterMs: 60 * 60_000, limit: 100 };

/** MercadoPago pages no deeper (psp/mercadopago.md §2.7, "1000 rows exceeded"). */
const LIST_MAX = 1_000;

/** MercadoPago, Payments API: cards, Yape and vouchers. */
export class MercadopagoGateway implements PaymentGateway {
  private readonly client: MercadopagoClient;

  constructor(private readonly context: GatewayContext<MercadopagoCredentials>) {
    this.client = new MercadopagoClient(context);
  }

  /** A rejected card is answered 201, too. */
  async createPayment(order: PaymentOrder): Promise<PaymentSnapshot> {
    const charged = order.method.isSaved === true ? await this.chargeable(order) : order;
    return paymentIn(await this.client.createPayment(paymentRequest(charged), charged.attemptId, charged.method.token));
  }

  /** The order with a token of the kept card, and its brand. Until there is one nothing was charged, whatever becomes of this call. */
  private async chargeable(order: PaymentOrder): Promise<KeptOrder> {
    const { customerId, cardId, methodId } = keptIn(order.method.token);
    const answer = await this.client.createCardToken(customerId, cardId).catch((error: unknown) => { throw error instanceof GatewayError ? beforeTheCharge(error) : error; });
    const token = [200, 201].includes(answer.status) ? cardTokenSchema.safeParse(answer.body) : undefined;
    if (token?.success !== true) throw beforeTheCharge(troubleOf(answer));
    return { ...order, customerId, method: { ...order.method, token: token.data.id, options: { ...order.method.options, paymentMethodId: methodId } } };
  }

  async fetchPayment(reference: string): Promise<PaymentSnapshot> {
    const answer = await this.client.getPayment(checkedId(reference));
    if (isAbsence(answer)) throw new GatewayError('payment_not_found', 'MercadoPago knows no such payment', { httpStatus: 404 });
    const snapshot = paymentIn(answer);
    if (snapshot.reference !== reference) throw new GatewayError('outcome_unknown', 'MercadoPago answered about another payment');
    return snapshot;
  }

  async findPayment({ attemptId, sentAt, deadlineAt }: AttemptReference): Promise<PaymentSnapshot | null> {
    const answer = await this.client.searchPayments({
      external_reference: attemptId, sort: 'date_created', criteria: 'asc', range: 'date_created', limit: SEARCH.limit, offset: 0,
      begin_date: new Date(sentAt.getTime() - SEARCH.beforeMs).toISOString(), end_date: new Date(deadlineAt.getTime() + SEARCH.afterMs).toISOString(),
    });
    const page = answer.status === 200 ? searchSchema.safeParse(answer.body) : undefined;
    if (page?.success !== true) throw troubleOf(answer);
    if (Number(page.data.paging.total.text) > page.data.results.length) throw new GatewayError('outcome_unknown', 'MercadoPago found more payments than it shows');
    const snapshots = page.data.results.map(paymentSnapshot).filter(({ ourReference }) => ourReference === attemptId);
    // A rejected payment under the same attempt says less than one that took money.
    const [first, ...duplicates] = snapshots.filter(({ status }) => status !== 'declined');
    if (first === undefined) return snapshots[0] ?? null;
    return duplicates.length === 0 ? first : { ...first, duplicates: duplicates.flatMap(({ reference }) => reference ?? []) };
  }

  async listPayments({ from, to }: { from: Date; to: Date }): Promise<PaymentSnapshot[] | null> {
    const found: PaymentSnapshot[] = [];
    for (let offset = 0; offset < LIST_MAX; offset += SEARCH.limit) {
      const answer = await this.client.searchPayments({
        sort: 'date_created', criteria: 'asc', range: 'date_created', limit: SEARCH.limit, offset, begin_date: from.toISOString(), end_date: to.toISOString(),
      });
      const page = answer.status === 200 ? searchSchema.safeParse(answer.body) : undefined;
      if (page?.success !== true) throw troubleOf(answer);
      found.push(...page.data.results.map(paymentSnapshot));
      const total = Number(page.data.paging.total.text);
      if (total > LIST_MAX) return null;
      if (page.data.results.length === 0 || offset + SEARCH.limit >= total) return found;
    }
    return null;
  }

  /** All of it: what a payment that was captured in part shows is not documented, and the profile says so. */
  async capturePayment({ reference, attemptId }: CaptureOrder): Promise<PaymentSnapshot> {
    return paymentIn(await this.client.capturePayment(checkedId(reference), attemptId));
  }

  async voidPayment({ reference, attemptId }: OperationOrder): Promise<PaymentSnapshot> {
    return paymentIn(await this.client.cancelPayment(checkedId(reference), attemptId));
  }

  async refundPayment({ reference, attemptId, amount }: RefundOrder): Promise<RefundSnapshot> {
    const answer = await this.client.createRefund(checkedId(reference), { amount: Number(decimalOf(amount)) }, attemptId);
    const refund = [200, 201].includes(answer.status) ? refundSchema.safeParse(answer.body) : undefined;
    if (refund?.success !== true) throw troubleOf(answer);
    if (refund.data.payment_id !== reference) throw new GatewayError('outcome_unknown', 'MercadoPago answered about another payment');
    return refundSnapshot(refund.data, amount.currency);
  }

  /** Refunds carry nothing of ours: this one is the payment's refund of this amount that none of our others is. */
  async findRefund({ reference, amount, refundedBefore, otherReferences }: RefundReference): Promise<RefundSnapshot | null> {
    const answer = await this.client.listRefunds(checkedId(reference));
    const list = answer.status === 200 ? refundListSchema.safeParse(answer.body) : undefined;
    if (list?.success !== true) throw troubleOf(answer);
    const snapshots = list.data.filter(({ id }) => !otherReferences.includes(id)).map((refund) => refundSnapshot(refund, amount.currency)).filter((refund) => refund.amount?.amountMinor === amount.amountMinor);
    // One that was rejected says less than one that gave money back.
    const found = snapshots.find(({ status }) => status !== 'failed') ?? snapshots[0];
    if (found !== undefined) return found;
    const { refunded } = await this.fetchPayment(reference);
    if ((refunded?.amountMinor ?? 0n) === refundedBefore.amountMinor) return null;
    throw new GatewayError('outcome_unknown', 'MercadoPago shows money given back, and lists no refund for it');
  }

  async savePaymentMethod({ token, customer }: SaveMethodOrder): Promise<SavedMethodSnapshot> {
    const customerId = await this.customerOf(customer);
    const answer = await this.client.createCard(customerId, token);
    const card = [200, 201].includes(answer.status) ? cardSchema.safeParse(answer.body) : undefined;
    if (card?.success !== true) throw troubleOf(answer);
    return keptCard(customerId, card.data);
  }

  async deletePaymentMethod(reference: string): Promise<void> {
    const { customerId, cardId } = keptIn(reference);
    const answer = await this.client.deleteCard(customerId, cardId);
    if (answer.status !== 200 && !isAbsence(answer)) throw troubleOf(answer);
  }

  /** MercadoPago's customer with this e-mail address, of which it takes one each: made, or found (psp/mercadopago.md §6). */
  private async customerOf({ email, firstName, lastName }: Customer): Promise<string> {
    const answer = await this.client.createCustomer({ email, ...(firstName === undefined ? {} : { first_name: firstName }), ...(lastName === undefined ? {} : { last_name: lastName }) });
    const made = [200, 201].includes(answer.status) ? customerSchema.safeParse(answer.body) : undefined;
    if (made?.success === true) return made.data.id;
    const trouble = troubleOf(answer);
    if (trouble.kind !== 'request_rejected') throw trouble;
    const listed = await this.client.searchCustomers(email);
    const page = listed.status === 200 ? customerSearchSchema.safeParse(listed.body) : undefined;
    if (page?.success !== true) throw troubleOf(listed);
    const found = page.data.results.find((each) => each.email.toLowerCase() === email.toLowerCase());
    if (found === undefined) throw trouble;
    return found.id;
  }

  readWebhook(delivery: WebhookDelivery): WebhookNotice {
    return readWebhook(delivery, this.context.credentials.webhookSecret);
  }
}

/** What a reference to a kept card is made of. @throws GatewayError `request_rejected` */
function keptIn(reference: string): { customerId: string; cardId: string; methodId: string } {
  const [, customerId, cardId, methodId] = /^([0-9A-Za-z_-]{1,64}):([0-9]{1,20}):([a-z0-9_]{1,30})$/.exec(reference) ?? [];
  if (customerId === undefined || cardId === undefined || methodId === undefined) throw new GatewayError('request_rejected', 'this is no kept card of MercadoPago');
  return { customerId, cardId, methodId };
}

/** Bytes went out, and none of them can have moved money. */
function beforeTheCharge(trouble: GatewayError): GatewayError {
  return trouble.moneyMayHaveMoved ? new GatewayError('not_contacted', 'MercadoPago made no token of the kept card', { cause: trouble }) : trouble;
}

function paymentIn(answer: MercadopagoAnswer): PaymentSnapshot {
  const payment = [200, 201].includes(answer.status) ? paymentSchema.safeParse(answer.body) : undefined;
  if (payment?.success !== true) throw troubleOf(answer);
  return paymentSnapshot(payment.data);
}

function checkedId(reference: string): string {
  if (!PAYMENT_ID.test(reference)) throw new GatewayError('request_rejected', 'this is no payment id of MercadoPago');
  return reference;
}
