import { decimalOf } from '../contract/decimal.js';
import { GatewayError } from '../contract/gateway-error.js';
import type { AttemptReference, CaptureOrder, GatewayContext, OperationOrder, PaymentSnapshot, RefundOrder, RefundReference, RefundSnapshot } from '../contract/payment-gateway.js';
import type { MercadopagoAnswer, MercadopagoClient } from './mercadopago.client.js';
import { allRows, instantOf, lostRefund, oursAmong, refundAmong, SEARCH } from './mercadopago.lookup.js';
import { currencyOf, orderRefundSnapshot, orderSnapshot } from './mercadopago.orders-mapping.js';
import { failedOrderSchema, orderSchema, orderSearchSchema, type MercadopagoOrder } from './mercadopago.orders-types.js';
import { orderRequest, type ChargeableOrder } from './mercadopago.request.js';
import { isOrderAbsence, orderTroubleOf } from './mercadopago.trouble.js';

/** `/v1/orders` of type online (psp/mercadopago.md §5.2), to which MercadoPago leads new integrations: one order with one payment, processed at once. */
export class OrdersApi {
  constructor(private readonly client: MercadopagoClient, private readonly context: Pick<GatewayContext<unknown>, 'now'>) {}

  /** A payment that failed is answered 402, with the order in which it did. */
  async createPayment(order: ChargeableOrder): Promise<PaymentSnapshot> {
    return orderSnapshot(orderIn(await this.client.createOrder(orderRequest(order), order.attemptId, order.method.token)));
  }

  async fetchPayment(reference: string): Promise<PaymentSnapshot> {
    return orderSnapshot(await this.fetch(reference));
  }

  async findPayment({ attemptId, sentAt, deadlineAt }: AttemptReference): Promise<PaymentSnapshot | null> {
    const page = await this.search({ external_reference: attemptId, begin_date: new Date(sentAt.getTime() - SEARCH.beforeMs).toISOString(), end_date: new Date(deadlineAt.getTime() + SEARCH.afterMs).toISOString() }, 1);
    if (page.paging.total > page.data.length) throw new GatewayError('outcome_unknown', 'MercadoPago found more orders than it shows');
    return oursAmong(page.data.map(orderSnapshot), attemptId);
  }

  async listPayments({ from, to }: { from: Date; to: Date }): Promise<PaymentSnapshot[] | null> {
    const found = await allRows(async ({ number }) => {
      const { data, paging } = await this.search({ begin_date: from.toISOString(), end_date: to.toISOString() }, number);
      return { rows: data, total: paging.total };
    });
    return found?.map(orderSnapshot) ?? null;
  }

  /** All of it: an order is captured whole (§5.1). */
  async capturePayment({ reference, attemptId }: CaptureOrder): Promise<PaymentSnapshot> {
    return orderSnapshot(orderIn(await this.client.captureOrder(reference, attemptId), reference));
  }

  async voidPayment({ reference, attemptId }: OperationOrder): Promise<PaymentSnapshot> {
    return orderSnapshot(orderIn(await this.client.cancelOrder(reference, attemptId), reference));
  }

  /** A part is given back of a transaction, whose id the order tells: until that is known, no money can have moved. The refund is the one that was not there before. */
  async refundPayment({ reference, attemptId, amount }: RefundOrder): Promise<RefundSnapshot> {
    const before = await this.fetch(reference).catch((error: unknown) => { throw error instanceof GatewayError && error.moneyMayHaveMoved ? new GatewayError('not_contacted', 'MercadoPago did not show the order', { cause: error }) : error; });
    const payment = before.transactions?.payments?.[0];
    if (payment === undefined) throw new GatewayError('not_contacted', 'the order shows no payment');
    const earlier = (before.transactions?.refunds ?? []).map(({ id }) => id);
    const isWhole = earlier.length === 0 && orderSnapshot(before).amount?.amountMinor === amount.amountMinor;
    const answer = await this.client.refundOrder(reference, isWhole ? undefined : { transactions: [{ id: payment.id, amount: decimalOf(amount) }] }, attemptId);
    if (isOrderAbsence(answer)) throw notFound();
    const after = orderIn(answer, reference);
    const made = refundAmong(refundsOf(after, amount), { amount, otherReferences: earlier });
    if (made === null) throw new GatewayError('outcome_unknown', 'MercadoPago took the refund, and shows none');
    return made;
  }

  /** An order's refunds carry no date: each was made before the order last changed. */
  async findRefund(attempt: RefundReference): Promise<RefundSnapshot | null> {
    const order = await this.fetch(attempt.reference);
    const madeAt = instantOf(order.last_updated_date);
    return lostRefund({ refunded: orderSnapshot(order).refunded, listed: refundsOf(order, attempt.amount).map((refund) => ({ refund, madeAt })) }, attempt, this.context.now());
  }

  private async fetch(reference: string): Promise<MercadopagoOrder> {
    const answer = await this.client.getOrder(reference);
    if (isOrderAbsence(answer)) throw notFound();
    return orderIn(answer, reference);
  }

  private async search(filter: { begin_date: string; end_date: string; external_reference?: string }, page: number) {
    const answer = await this.client.searchOrders({ ...filter, page, page_size: SEARCH.limit, sort_by: 'created_date', sort_order: 'asc' });
    const read = answer.status === 200 ? orderSearchSchema.safeParse(answer.body) : undefined;
    if (read?.success !== true) throw orderTroubleOf(answer);
    return read.data;
  }
}

function notFound(): GatewayError {
  return new GatewayError('payment_not_found', 'MercadoPago knows no such order', { httpStatus: 404 });
}

function refundsOf(order: MercadopagoOrder, { currency }: { currency: NonNullable<ReturnType<typeof currencyOf>> }): RefundSnapshot[] {
  return (order.transactions?.refunds ?? []).map((refund) => orderRefundSnapshot(refund, currencyOf(order) ?? currency));
}

/** The order that an answer brings, which is the one asked about. @throws GatewayError when it brings none, or another */
function orderIn(answer: MercadopagoAnswer, reference?: string): MercadopagoOrder {
  const order = answer.status === 402 ? failedOrderSchema.transform(({ data }) => data).safeParse(answer.body) : [200, 201].includes(answer.status) ? orderSchema.safeParse(answer.body) : undefined;
  if (order?.success !== true) throw orderTroubleOf(answer);
  if (reference !== undefined && order.data.id !== reference) throw new GatewayError('outcome_unknown', 'MercadoPago answered about another order');
  return order.data;
}
