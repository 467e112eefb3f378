import { createHmac, randomBytes } from 'node:crypto';
import { InvalidOrder } from '../emulator/fault.js';
import { isMerchant } from '../emulator/merchant.js';
import { type WebhookSender } from '../emulator/webhook-sender.js';
import { type BookedPayment, type BookedRefund, type Books } from './books.js';
import { type Settings } from './settings.js';

/** The signature of a webhook: lower-case hex HMAC-SHA256 of the raw bytes (pixelpay.md §2.4). */
export function signatureOf(secret: string, body: string): string {
  return createHmac('sha256', secret).update(body, 'utf8').digest('hex');
}

/** What happens after a request was accepted: payments and refunds end, by themselves or by hand, and webhooks tell of it. */
export class Unfolding {
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(private readonly books: Books, private readonly settings: Settings, private readonly webhooks: WebhookSender, private readonly nowMs: () => number) {}

  completeLater({ txn_id }: Pick<BookedPayment, 'txn_id'>, isSlow: boolean): void {
    const { completeAfterMs, pendingForMs } = this.settings.current();
    this.later(isSlow ? pendingForMs : completeAfterMs, () => { this.endPayment(txn_id, 'completed'); });
  }

  refundLater(refund: BookedRefund): void {
    this.later(this.settings.current().refundAfterMs, () => { this.endRefund(refund.merchant, refund.refund_id, 'completed'); });
  }

  /** Goes on with what was pending when the process ended. */
  resume(): void {
    for (const payment of this.books.payments()) if (payment.status === 'pending') this.completeLater(payment, false);
    for (const refund of this.books.refunds()) if (refund.status === 'pending') this.refundLater(refund);
  }

  endPayment(txnId: string, status: 'completed' | 'failed'): void {
    const payment = this.paymentOf(txnId);
    if (payment.status !== 'pending') return;
    this.books.movePayment(txnId, status);
    // Only this body is documented; the one of a failure is made alike.
    this.tell(payment, `payment.${status}`, { txn_id: txnId, status, ...(status === 'completed' ? { deposited_at: new Date(this.nowMs() + 48 * 60 * 60_000).toISOString() } : {}) });
  }

  deposit(txnId: string): void {
    this.tell(this.paymentOf(txnId), 'payment.deposited', { txn_id: txnId, status: 'completed', deposited_at: new Date(this.nowMs()).toISOString() });
  }

  endRefund(merchant: string, refundId: string, status: 'completed' | 'failed'): void {
    const refund = this.books.refund(merchant, refundId);
    if (refund?.status !== 'pending') return;
    this.books.moveRefund(refund, status);
    this.tell(this.paymentOf(refund.txn_id), 'refund.completed', { refund_id: refundId, txn_id: refund.txn_id, amount: refund.amount, status });
  }

  /** A refund that a person makes in the panel: it has no id of the merchant's. */
  refundByHand(txnId: string, amount: number): void {
    const payment = this.paymentOf(txnId);
    const refund: BookedRefund = { merchant: payment.merchant, refund_id: `ref_panel_${randomBytes(6).toString('hex')}`, txn_id: txnId, amount, status: 'completed', created_at: this.nowMs() };
    this.books.addRefund(refund);
    this.tell(payment, 'refund.completed', { refund_id: refund.refund_id, txn_id: txnId, amount, status: 'completed' });
  }

  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  secretOf(merchant: string): string {
    const named = Object.entries(this.settings.current().webhookSecrets).find(([name]) => isMerchant(merchant, name))?.[1];
    return named ?? `whsec_${merchant.slice(merchant.indexOf('_') + 1)}`;
  }

  private tell({ merchant, webhook_url: url }: BookedPayment, event: string, members: Record<string, unknown>): void {
    const body = JSON.stringify({ event, ...members });
    this.webhooks.send({ merchant, event, body, headers: { 'x-pixelpay-signature': signatureOf(this.secretOf(merchant), body) }, ...(url === null ? {} : { url }) });
  }

  private paymentOf(txnId: string): BookedPayment {
    const payment = this.books.payment(txnId);
    if (payment === undefined) throw new InvalidOrder(`the books have no payment ${txnId}`);
    return payment;
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
