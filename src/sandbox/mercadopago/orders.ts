import { z } from 'zod';
import { type Answer } from '../emulator/exchange.js';
import { type Books } from './books.js';
import { decimalText, minorOfText, numberOf, orderStatus, orderView, transactionIdOf } from './order-view.js';
import { type BookedPayment, refundedOf, refundWindowMs } from './payment.js';
import { type Settings, type Site } from './settings.js';
import { firstState } from './test-data.js';
import { type Unfolding } from './unfolding.js';

const orderSchema = z.object({
  type: z.literal('online'), processing_mode: z.literal('automatic').nullish(), capture_mode: z.enum(['automatic', 'manual', 'automatic_async']).nullish(), total_amount: z.string(), external_reference: z.string().max(64).nullish(),
  payer: z.object({ email: z.string().min(3).nullish(), customer_id: z.string().nullish() }), marketplace_fee: z.string().nullish(),
  transactions: z.object({
    payments: z.array(z.object({
      amount: z.string(),
      payment_method: z.object({ id: z.string(), type: z.enum(['credit_card', 'debit_card', 'bank_transfer', 'ticket', 'digital_wallet', 'account_money', 'prepaid_card']), token: z.string().nullish(), installments: z.int().min(1).nullish() }),
    })).length(1),
  }),
  config: z.object({ online: z.object({ transaction_security: z.object({ validation: z.string() }).nullish() }).nullish() }).nullish(),
});
const searchSchema = z.strictObject({
  begin_date: z.string(), end_date: z.string(), external_reference: z.string().optional(), page: z.coerce.number().int().min(1).default(1), page_size: z.coerce.number().int().min(1).default(20),
  sort_by: z.enum(['created_date', 'last_updated_date']).default('created_date'), sort_order: z.enum(['asc', 'desc']).default('asc'),
});
const refundSchema = z.object({ transactions: z.array(z.object({ id: z.string(), amount: z.string() })).length(1) });

/** MercadoPago's Orders API, type online and processed at once (mercadopago.md §5): amounts are texts, and a payment that fails is answered 402. */
export class Orders {
  constructor(private readonly books: Books, private readonly settings: Settings, private readonly unfolding: Unfolding, private readonly challengeUrl: (id: number) => string, private readonly nowMs: () => number) {}

  create(merchant: string, site: Site, body: unknown, isLive: boolean): Answer {
    const read = orderSchema.safeParse(body);
    if (!read.success) return refused(400, 'property_value', read.error.issues[0]?.path.join('.') ?? '');
    const { total_amount: total, capture_mode: capture, payer, transactions, config } = read.data;
    const [asked] = transactions.payments;
    const amount = minorOfText(total, site);
    if (amount === null || amount < 1 || asked?.amount !== total) return refused(400, 'invalid_total_amount', 'total_amount');
    const tokenId = asked.payment_method.token ?? '';
    const token = this.books.token(merchant, tokenId);
    if (this.books.isSpent(merchant, tokenId)) return refused(422, 'invalid_card_token', 'The card token has already been used');
    if (asked.payment_method.type === 'debit_card' && capture === 'manual') return refused(400, 'unsupported_properties', 'capture_mode');
    if (token?.method !== 'card') return refused(400, 'property_value', 'transactions.payments[0].payment_method.token');
    if (token.customerId !== undefined && payer.customer_id !== token.customerId) return refused(400, 'property_value', 'payer.customer_id');
    if (token.customerId === undefined && payer.email == null) return refused(400, 'required_properties', 'payer.email');
    const id = this.books.nextId();
    const payment: BookedPayment = {
      merchant, site, id, isOrder: true, captures: capture !== 'manual', external_reference: read.data.external_reference ?? null, amount,
      ...firstState(token.behaviour, capture !== 'manual', { mayChallenge: (config?.online?.transaction_security?.validation ?? 'never') !== 'never' }), live_mode: isLive, method: { id: asked.payment_method.id, type: asked.payment_method.type },
      installments: asked.payment_method.installments ?? 1, card: token.card, refunds: [], created_at: this.nowMs(), updated_at: this.nowMs(), metadata: {}, passes: token.behaviour.kind === 'challenges' ? token.behaviour.passes : null, challenge_url: this.challengeUrl(id),
      application_fee: minorOfText(read.data.marketplace_fee ?? '0', site) ?? 0,
    };
    this.books.addPayment(payment, tokenId);
    this.unfolding.tell(payment, 'payment.created');
    if (payment.status === 'in_process') this.unfolding.reviewLater(id);
    if (payment.status !== 'rejected') return { status: 201, json: this.view(payment) };
    return { status: 402, json: { errors: [{ code: 'failed', message: 'The following transactions failed', details: [`${transactionIdOf(payment)}: ${orderStatus(payment).detail}`] }], data: this.view(payment) } };
  }

  get(merchant: string, orderId: string): Answer {
    return this.withOrder(merchant, orderId, (payment) => ({ status: 200, json: this.view(payment) }));
  }

  /** The dates are required; pages count from 1 (the SDK's types), and paging values are texts. What is not understood is refused. */
  search(merchant: string, query: URLSearchParams): Answer {
    const [from, to] = [Date.parse(query.get('begin_date') ?? ''), Date.parse(query.get('end_date') ?? '')];
    if (Number.isNaN(from) || Number.isNaN(to)) return refused(400, 'required_properties', 'begin_date, end_date');
    const read = searchSchema.safeParse(Object.fromEntries(query));
    if (!read.success) return refused(400, 'invalid_properties', read.error.issues[0]?.path.join('.') ?? '');
    const { page, sort_by: by, sort_order: order } = read.data;
    const size = Math.min(read.data.page_size, this.settings.current().pageRowsMax);
    const at = ({ created_at: created, updated_at: updated }: BookedPayment): number => (by === 'last_updated_date' ? updated : created);
    const found = this.books.payments(merchant).filter((payment) => payment.isOrder && this.isVisible(payment) && payment.created_at >= from && payment.created_at <= to
      && (!query.has('external_reference') || payment.external_reference === query.get('external_reference'))).sort((a, b) => at(a) - at(b));
    if (order === 'desc') found.reverse();
    const shown = found.slice((page - 1) * size, page * size);
    return { status: 200, json: { data: shown.map((payment) => this.view(payment)), paging: { total: String(found.length), total_pages: String(Math.ceil(found.length / size)), offset: String((page - 1) * size), limit: String(size) } } };
  }

  capture(merchant: string, orderId: string): Answer {
    return this.withOrder(merchant, orderId, (payment) => {
      if (payment.status !== 'authorized') return refused(409, 'invalid_order_state', 'the order waits for no capture');
      return this.moved(payment, 'approved', 'accredited');
    });
  }

  cancel(merchant: string, orderId: string): Answer {
    return this.withOrder(merchant, orderId, (payment) => {
      if (payment.status === 'cancelled') return refused(409, 'order_already_canceled', '');
      if (!['authorized', 'pending', 'in_process'].includes(payment.status)) return refused(409, 'cannot_cancel_order', '');
      return this.moved(payment, 'cancelled', 'by_collector');
    });
  }

  /** Without a body all that is left. */
  refund(merchant: string, orderId: string, body: Buffer): Answer {
    return this.withOrder(merchant, orderId, (payment) => {
      if (payment.status === 'refunded') return refused(409, 'order_already_refunded', '');
      if (payment.status !== 'approved' || payment.created_at + refundWindowMs(payment) < this.nowMs()) return refused(409, 'cannot_refund_order', '');
      const left = payment.amount - refundedOf(payment, ['approved', 'in_process']);
      let amount = left;
      if (body.length > 0 && body.toString() !== '{}') {
        const part = refundSchema.safeParse(JSON.parse(body.toString())).data?.transactions[0];
        if (part === undefined) return refused(400, 'property_value', 'transactions');
        if (part.id !== transactionIdOf(payment)) return refused(404, 'transaction_not_found', part.id);
        amount = minorOfText(part.amount, payment.site) ?? 0;
      }
      if (amount < 1 || amount > left) return refused(400, 'property_value', `amount: at most ${decimalText(left, payment.site)}`);
      const { refundsInProcess: isLater, coversRefunds } = this.settings.current();
      const refund = { id: this.books.nextId(), amount, status: isLater ? 'in_process' as const : coversRefunds ? 'approved' as const : 'rejected' as const, created_at: this.nowMs() };
      this.books.addRefund(payment.id, refund);
      if (isLater) this.unfolding.refundLater(payment.id, refund.id);
      else this.unfolding.settle(payment.id);
      return { status: 201, json: this.view(this.unfolding.paymentOf(payment.id)) };
    });
  }

  private view(payment: BookedPayment): Record<string, unknown> {
    return orderView(payment, this.settings.current().cancelWord);
  }

  private moved(payment: BookedPayment, status: 'approved' | 'cancelled', detail: string): Answer {
    this.books.change(payment.id, status, detail);
    const after = this.unfolding.paymentOf(payment.id);
    this.unfolding.tell(after, 'payment.updated');
    return { status: 200, json: this.view(after) };
  }

  private withOrder(merchant: string, orderId: string, then: (payment: BookedPayment) => Answer): Answer {
    const payment = this.books.payment(numberOf(orderId) ?? -1);
    if (payment?.isOrder !== true || payment.merchant !== merchant || !this.isVisible(payment)) return refused(404, 'order_not_found', orderId);
    return then(payment);
  }

  private isVisible({ created_at: created }: BookedPayment): boolean {
    return created + this.settings.current().lookupLagMs <= this.nowMs();
  }
}

/** An error as orders tell it (§5.2). */
export function refused(status: number, code: string, detail: string): Answer {
  return { status, json: { errors: [{ code, message: code, ...(detail === '' ? {} : { details: [detail] }) }] } };
}
