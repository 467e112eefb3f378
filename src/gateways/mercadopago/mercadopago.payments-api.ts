import { decimalOf } from '../contract/decimal.js';
import { GatewayError } from '../contract/gateway-error.js';
import type { AttemptReference, CaptureOrder, OperationOrder, PaymentSnapshot, RefundOrder, RefundReference, RefundSnapshot } from '../contract/payment-gateway.js';
import type { MercadopagoAnswer, MercadopagoClient } from './mercadopago.client.js';
import { oursAmong, refundAmong, SEARCH } from './mercadopago.lookup.js';
import { paymentRequest, type ChargeableOrder } from './mercadopago.request.js';
import { paymentSnapshot, refundSnapshot } from './mercadopago.snapshot.js';
import { isAbsence, isUnknownPayment, troubleOf } from './mercadopago.trouble.js';
import { PAYMENT_ID, paymentSchema, refundListSchema, refundSchema, searchSchema, type MercadopagoPayment } from './mercadopago.types.js';

/** MercadoPago pages no deeper (psp/mercadopago.md §2.7, "1000 rows exceeded"). */
const LIST_MAX = 1_000;

/** `/v1/payments`: every method, and what MercadoPago takes of each payment. `isOurs` leaves out what another API shows better. */
export class PaymentsApi {
  constructor(private readonly client: MercadopagoClient, private readonly isOurs: (payment: MercadopagoPayment) => boolean) {}

  /** A rejected card is answered 201, too. */
  async createPayment(order: ChargeableOrder): Promise<PaymentSnapshot> {
    return paymentIn(await this.client.createPayment(paymentRequest(order), order.attemptId, order.method.token));
  }

  async fetchPayment(reference: string): Promise<PaymentSnapshot> {
    const answer = await this.client.getPayment(checkedId(reference));
    if (isAbsence(answer)) throw notFound();
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
    return oursAmong(page.data.results.filter(this.isOurs).map(paymentSnapshot), attemptId);
  }

  /** By when they last changed: a refund in the panel or a chargeback may be of an older payment. */
  async listPayments({ from, to }: { from: Date; to: Date }): Promise<PaymentSnapshot[] | null> {
    const found: PaymentSnapshot[] = [];
    for (let offset = 0; offset < LIST_MAX; offset += SEARCH.limit) {
      const answer = await this.client.searchPayments({
        sort: 'date_last_updated', criteria: 'asc', range: 'date_last_updated', limit: SEARCH.limit, offset, begin_date: from.toISOString(), end_date: to.toISOString(),
      });
      const page = answer.status === 200 ? searchSchema.safeParse(answer.body) : undefined;
      if (page?.success !== true) throw troubleOf(answer);
      found.push(...page.data.results.filter(this.isOurs).map(paymentSnapshot));
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
    if (isUnknownPayment(answer)) throw notFound();
    if (refund?.success !== true) throw troubleOf(answer);
    if (refund.data.payment_id !== reference) throw new GatewayError('outcome_unknown', 'MercadoPago answered about another payment');
    return refundSnapshot(refund.data, amount.currency);
  }

  /** Refunds carry nothing of ours: this one is the payment's refund of this amount that none of our others is. */
  async findRefund({ reference, amount, refundedBefore, otherReferences }: RefundReference): Promise<RefundSnapshot | null> {
    const answer = await this.client.listRefunds(checkedId(reference));
    const list = answer.status === 200 ? refundListSchema.safeParse(answer.body) : undefined;
    if (list?.success !== true) throw troubleOf(answer);
    const found = refundAmong(list.data.map((refund) => refundSnapshot(refund, amount.currency)), { amount, otherReferences });
    if (found !== null) return found;
    const { refunded } = await this.fetchPayment(reference);
    if ((refunded?.amountMinor ?? 0n) === refundedBefore.amountMinor) return null;
    throw new GatewayError('outcome_unknown', 'MercadoPago shows money given back, and lists no refund for it');
  }
}

function notFound(): GatewayError {
  return new GatewayError('payment_not_found', 'MercadoPago knows no such payment', { httpStatus: 404 });
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
