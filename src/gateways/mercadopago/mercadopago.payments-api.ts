import { decimalOf } from '../contract/decimal.js';
import { GatewayError } from '../contract/gateway-error.js';
import type { AttemptReference, CaptureOrder, GatewayContext, OperationOrder, PaymentSnapshot, RefundOrder, RefundReference, RefundSnapshot } from '../contract/payment-gateway.js';
import type { MercadopagoAnswer, MercadopagoClient } from './mercadopago.client.js';
import { allRows, instantOf, lostRefund, oursAmong, SEARCH } from './mercadopago.lookup.js';
import { paymentRequest, type ChargeableOrder } from './mercadopago.request.js';
import { paymentSnapshot, refundSnapshot } from './mercadopago.snapshot.js';
import { isAbsence, isUnknownPayment, troubleOf } from './mercadopago.trouble.js';
import { PAYMENT_ID, paymentSchema, refundListSchema, refundSchema, searchSchema, type MercadopagoPayment } from './mercadopago.types.js';

/** `/v1/payments`: every method, and what MercadoPago takes of each payment. `isOurs` leaves out what another API shows better. */
export class PaymentsApi {
  constructor(private readonly client: MercadopagoClient, private readonly context: Pick<GatewayContext<unknown>, 'environment' | 'now'>, private readonly isOurs: (payment: MercadopagoPayment) => boolean) {}

  /** A rejected card is answered 201, too. */
  async createPayment(order: ChargeableOrder): Promise<PaymentSnapshot> {
    return this.paymentIn(await this.client.createPayment(paymentRequest(order), order.attemptId, order.method.token));
  }

  async fetchPayment(reference: string): Promise<PaymentSnapshot> {
    const answer = await this.client.getPayment(checkedId(reference));
    if (isAbsence(answer)) throw notFound();
    return this.paymentIn(answer, reference);
  }

  async findPayment({ attemptId, sentAt, deadlineAt }: AttemptReference): Promise<PaymentSnapshot | null> {
    const { results, paging } = await this.search({
      external_reference: attemptId, sort: 'date_created', criteria: 'asc', range: 'date_created', limit: SEARCH.limit, offset: 0,
      begin_date: new Date(sentAt.getTime() - SEARCH.beforeMs).toISOString(), end_date: new Date(deadlineAt.getTime() + SEARCH.afterMs).toISOString(),
    });
    if (Number(paging.total.text) > results.length) throw new GatewayError('outcome_unknown', 'MercadoPago found more payments than it shows');
    return oursAmong(results.filter(this.isOurs).map((payment) => this.snapshotOf(payment)), attemptId);
  }

  /** By when they last changed: a refund in the panel or a chargeback may be of an older payment. */
  async listPayments({ from, to }: { from: Date; to: Date }): Promise<PaymentSnapshot[] | null> {
    const found = await allRows(async ({ offset, limit }) => {
      const { results, paging } = await this.search({ sort: 'date_last_updated', criteria: 'asc', range: 'date_last_updated', limit, offset, begin_date: from.toISOString(), end_date: to.toISOString() });
      return { rows: results, total: Number(paging.total.text) };
    });
    return found?.filter(this.isOurs).map((payment) => this.snapshotOf(payment)) ?? null;
  }

  /** All of it: what a payment that was captured in part shows is not documented, and the profile says so. */
  async capturePayment({ reference, attemptId }: CaptureOrder): Promise<PaymentSnapshot> {
    return this.paymentIn(await this.client.capturePayment(checkedId(reference), attemptId), reference);
  }

  async voidPayment({ reference, attemptId }: OperationOrder): Promise<PaymentSnapshot> {
    return this.paymentIn(await this.client.cancelPayment(checkedId(reference), attemptId), reference);
  }

  /** All of it is asked for without an amount: parts may not be taken (§3, 3024). */
  async refundPayment({ reference, attemptId, amount, isWhole }: RefundOrder): Promise<RefundSnapshot> {
    const answer = await this.client.createRefund(checkedId(reference), isWhole === true ? undefined : { amount: Number(decimalOf(amount)) }, attemptId);
    const refund = [200, 201].includes(answer.status) ? refundSchema.safeParse(answer.body) : undefined;
    if (isUnknownPayment(answer)) throw notFound();
    if (refund?.success !== true) throw troubleOf(answer);
    if (refund.data.payment_id !== reference) throw new GatewayError('outcome_unknown', 'MercadoPago answered about another payment');
    return refundSnapshot(refund.data, amount.currency);
  }

  /** The total before the list: what is booked meanwhile is listed, and not counted. */
  async findRefund(attempt: RefundReference): Promise<RefundSnapshot | null> {
    const { refunded } = await this.fetchPayment(attempt.reference);
    const answer = await this.client.listRefunds(attempt.reference);
    const list = answer.status === 200 ? refundListSchema.safeParse(answer.body) : undefined;
    if (list?.success !== true) throw troubleOf(answer);
    const listed = list.data.filter(({ payment_id: id }) => id === attempt.reference).map((refund) => ({ refund: refundSnapshot(refund, attempt.amount.currency), madeAt: instantOf(refund.date_created) }));
    return lostRefund({ refunded, listed }, attempt, this.context.now());
  }

  private async search(filter: Record<string, string | number>) {
    const answer = await this.client.searchPayments(filter);
    const page = answer.status === 200 ? searchSchema.safeParse(answer.body) : undefined;
    if (page?.success !== true) throw troubleOf(answer);
    return page.data;
  }

  /** The payment that an answer brings, which is the one asked about. @throws GatewayError when it brings none, or another */
  private paymentIn(answer: MercadopagoAnswer, reference?: string): PaymentSnapshot {
    const payment = [200, 201].includes(answer.status) ? paymentSchema.safeParse(answer.body) : undefined;
    if (payment?.success !== true) throw troubleOf(answer);
    if (reference !== undefined && payment.data.id !== reference) throw new GatewayError('outcome_unknown', 'MercadoPago answered about another payment');
    return this.snapshotOf(payment.data);
  }

  private snapshotOf(payment: MercadopagoPayment): PaymentSnapshot {
    return paymentSnapshot(payment, this.context.environment);
  }
}

function notFound(): GatewayError {
  return new GatewayError('payment_not_found', 'MercadoPago knows no such payment', { httpStatus: 404 });
}

function checkedId(reference: string): string {
  if (!PAYMENT_ID.test(reference)) throw new GatewayError('request_rejected', 'this is no payment id of MercadoPago');
  return reference;
}
