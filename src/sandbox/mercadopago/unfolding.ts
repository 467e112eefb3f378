import { createHmac, randomUUID } from 'node:crypto';
import { InvalidOrder } from '../emulator/fault.js';
import { isMerchant } from '../emulator/merchant.js';
import { type WebhookSender } from '../emulator/webhook-sender.js';
import { type Books } from './books.js';
import { orderIdOf, orderStatus, orderView } from './order-view.js';
import { type BookedPayment, refundedOf, stamp } from './payment.js';
import { type Settings } from './settings.js';

/** What is signed: each pair that is there (mercadopago.md §7.3). */
export function signatureOf(secret: string, { dataId, requestId, ts }: { dataId: string; requestId: string; ts: string }): string {
  return createHmac('sha256', secret).update(`id:${dataId};request-id:${requestId};ts:${ts};`).digest('hex');
}

/** What happens after a request was answered: reviews, challenges, vouchers and refunds end, by themselves or by hand, and webhooks tell of it. */
export class Unfolding {
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(private readonly books: Books, private readonly settings: Settings, private readonly webhooks: WebhookSender, private readonly nowMs: () => number) {}

  reviewLater(id: number): void {
    this.later(this.settings.current().reviewAfterMs, () => { this.pass(id); });
  }

  refundLater(id: number, refundId: number): void {
    this.later(this.settings.current().refundAfterMs, () => { this.endRefund(id, refundId, this.settings.current().coversRefunds ? 'approved' : 'rejected'); });
  }

  /** Ends what nobody ended in time: the answer shows it from then on. */
  expireOverdue(): void {
    for (const id of this.books.overdue()) this.end(id, 'cancelled', 'expired');
  }

  resume(): void {
    for (const payment of this.books.payments()) {
      if (payment.status === 'in_process') this.reviewLater(payment.id);
      for (const refund of payment.refunds) if (refund.status === 'in_process') this.refundLater(payment.id, refund.id);
    }
  }

  /** Ends what waits: a review, a voucher, a challenge. */
  end(id: number, status: 'approved' | 'authorized' | 'rejected' | 'cancelled', detail: string): void {
    const payment = this.paymentOf(id);
    if (!['in_process', 'pending', 'authorized'].includes(payment.status)) return;
    this.books.change(id, status, detail);
    this.tell(payment, 'payment.updated');
  }

  /** The buyer completes the bank's challenge, as the card's test data say. */
  completeChallenge(id: number): void {
    this.endChallenge(id, this.paymentOf(id).passes === true);
  }

  /** Reserved only, where it was not to be captured at once. */
  private pass(id: number): void {
    const { captures } = this.paymentOf(id);
    this.end(id, captures ? 'approved' : 'authorized', captures ? 'accredited' : 'pending_capture');
  }

  endChallenge(id: number, isPassed: boolean): void {
    if (isPassed) this.pass(id);
    else this.end(id, 'rejected', 'cc_rejected_3ds_challenge');
  }

  endRefund(id: number, refundId: number, status: 'approved' | 'rejected'): void {
    this.books.changeRefund(id, refundId, status);
    this.settle(id);
  }

  /** After a refund: all of it is another state than a part. */
  settle(id: number): void {
    const payment = this.paymentOf(id);
    const given = refundedOf(payment);
    if (given === payment.amount) this.books.change(id, 'refunded', 'refunded');
    else if (given > 0) this.books.change(id, 'approved', 'partially_refunded');
    this.tell(payment, 'payment.updated');
  }

  /** An order is told of as such, too. */
  tell({ merchant, id, isOrder, live_mode: isLive = true }: BookedPayment, action: 'payment.created' | 'payment.updated'): void {
    const data = { id: String(id) };
    this.post(merchant, { topic: 'payment', dataId: data.id, event: action, body: { id: this.books.nextId(), live_mode: isLive, type: 'payment', date_created: stamp(this.nowMs()), user_id: 998_877, api_version: 'v1', action, data } });
    if (isOrder) this.tellOrder(this.paymentOf(id));
  }

  /** `topic_chargebacks_wh`: the id is a number of 18 digits, which no float holds (mercadopago.md §7.2). */
  tellChargeback({ merchant, id, site }: BookedPayment, chargebackId: string): void {
    const data = `{"checkout":"PRO","date_updated":"${stamp(this.nowMs())}","id":${chargebackId},"payment_id":${id},"product_id":"x","site_id":"${site}","transaction_intent_id":""}`;
    this.post(merchant, { topic: 'topic_chargebacks_wh', dataId: chargebackId, event: 'changed_case_status', body: `{"actions":["changed_case_status"],"api_version":"v1","live_mode":true,"type":"topic_chargebacks_wh","user_id":998877,"data":${data}}` });
  }

  private tellOrder(payment: BookedPayment): void {
    const { cancelWord } = this.settings.current();
    const { status } = orderStatus(payment, cancelWord);
    const action = `order.${status}`;
    const dataId = orderIdOf(payment);
    this.post(payment.merchant, {
      topic: 'order', dataId, event: action,
      body: { action, api_version: 'v1', application_id: '123', date_created: new Date(this.nowMs()).toISOString(), live_mode: payment.live_mode ?? true, type: 'order', user_id: '998877', data: { ...orderView(payment, cancelWord), version: this.nowMs() } },
    });
  }

  private post(merchant: string, { topic, dataId, event, body }: { topic: string; dataId: string; event: string; body: object | string }): void {
    const { url } = this.webhooks.planOf(merchant);
    if (url === null) return;
    const settings = this.settings.current();
    const requestId = randomUUID();
    const ts = settings.timestamps === 'seconds' ? String(Math.floor(this.nowMs() / 1000)) : String(this.nowMs());
    if (settings.notifications === 'ipn' && topic === 'payment') {
      this.webhooks.send({ merchant, event: 'payment', headers: {}, url: `${url}?topic=payment&id=${dataId}`, body: JSON.stringify({ resource: dataId, topic: 'payment' }) });
      return;
    }
    const v1 = signatureOf(this.secretOf(merchant), { dataId: settings.idCase === 'lower' ? dataId.toLowerCase() : dataId, requestId, ts });
    this.webhooks.send({
      merchant, event, url: `${url}?data.id=${dataId}&type=${topic}`, headers: { 'x-signature': `ts=${ts},v1=${v1}`, 'x-request-id': requestId }, body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  secretOf(merchant: string): string {
    const named = Object.entries(this.settings.current().webhookSecrets).find(([name]) => isMerchant(merchant, name))?.[1];
    return named ?? `whsec-${merchant.slice(merchant.indexOf('_') + 1)}`;
  }

  paymentOf(id: number): BookedPayment {
    const payment = this.books.payment(id);
    if (payment === undefined) throw new InvalidOrder(`the books have no payment ${id}`);
    return payment;
  }

  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  private later(delayMs: number | null, action: () => void): void {
    if (delayMs === null) return;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      action();
    }, delayMs);
    timer.unref();
    this.timers.add(timer);
  }
}
