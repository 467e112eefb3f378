import { join } from 'node:path';
import { Journal } from '../emulator/journal.js';
import { isMerchant } from '../emulator/merchant.js';
import { type CardBehaviour } from './test-cards.js';

export type PaymentStatus = 'pending' | 'completed' | 'failed';

/** A payment as it truly is. Amounts in minor units. */
export interface BookedPayment {
  merchant: string;
  txn_id: string;
  order_id: string;
  amount: number;
  currency: string;
  status: PaymentStatus;
  commission: number;
  fraud_score: number;
  auth_code: string;
  refunded: number;
  created_at: number;
  webhook_url: string | null;
  /** What its first request was answered: a repeat of it gets the very same. */
  answer: { status: number; json: unknown };
}

/** A refund as it truly is. */
export interface BookedRefund {
  merchant: string;
  refund_id: string;
  txn_id: string;
  amount: number;
  status: PaymentStatus;
  created_at: number;
}

type JournalRecord =
  | { kind: 'token'; merchant: string; token: string; behaviour: CardBehaviour }
  | { kind: 'payment'; payment: BookedPayment }
  | { kind: 'payment_status'; txn_id: string; status: PaymentStatus }
  | { kind: 'refund'; refund: BookedRefund }
  | { kind: 'refund_status'; merchant: string; refund_id: string; status: PaymentStatus };

/** PixelPay's truth. With a folder it outlives the process. */
export class Books {
  private journal: Journal | null = null;
  private readonly tokens = new Map<string, { merchant: string; behaviour: CardBehaviour }>();
  private readonly paymentsById = new Map<string, BookedPayment>();
  private readonly refundsById = new Map<string, BookedRefund>();

  /** Reads what was booked before and writes on from there. */
  open(dataDir: string): void {
    this.journal = Journal.open(join(dataDir, 'pixelpay.journal.jsonl'), (record) => { this.remember(record as JournalRecord); });
  }

  addToken(merchant: string, token: string, behaviour: CardBehaviour): void {
    this.write({ kind: 'token', merchant, token, behaviour });
  }

  addPayment(payment: BookedPayment): void {
    this.write({ kind: 'payment', payment });
  }

  movePayment(txnId: string, status: PaymentStatus): void {
    this.write({ kind: 'payment_status', txn_id: txnId, status });
  }

  addRefund(refund: BookedRefund): void {
    this.write({ kind: 'refund', refund });
  }

  moveRefund({ merchant, refund_id }: BookedRefund, status: PaymentStatus): void {
    this.write({ kind: 'refund_status', merchant, refund_id, status });
  }

  behaviourOf(merchant: string, token: string): CardBehaviour | null {
    const stored = this.tokens.get(token);
    return stored?.merchant === merchant ? stored.behaviour : null;
  }

  payment(txnId: string): BookedPayment | undefined {
    return this.paymentsById.get(txnId);
  }

  byOrder(merchant: string, orderId: string): BookedPayment | undefined {
    return [...this.paymentsById.values()].find((payment) => payment.merchant === merchant && payment.order_id === orderId);
  }

  refund(merchant: string, refundId: string): BookedRefund | undefined {
    return this.refundsById.get(`${merchant} ${refundId}`);
  }

  /** All payments, oldest first, of the merchants that go by this name. */
  payments(merchant?: string): BookedPayment[] {
    return structuredClone([...this.paymentsById.values()].filter((one) => isMerchant(one.merchant, merchant)));
  }

  refunds(merchant?: string): BookedRefund[] {
    return structuredClone([...this.refundsById.values()].filter((one) => isMerchant(one.merchant, merchant)));
  }

  clear(): void {
    this.journal?.clear();
    this.tokens.clear();
    this.paymentsById.clear();
    this.refundsById.clear();
  }

  close(): void {
    this.journal?.close();
    this.journal = null;
  }

  private write(record: JournalRecord): void {
    this.journal?.append(record);
    this.remember(structuredClone(record));
  }

  private remember(record: JournalRecord): void {
    switch (record.kind) {
      case 'token':
        this.tokens.set(record.token, record);
        break;
      case 'payment':
        this.paymentsById.set(record.payment.txn_id, record.payment);
        break;
      case 'payment_status': {
        const payment = this.paymentsById.get(record.txn_id);
        if (payment !== undefined) payment.status = record.status;
        break;
      }
      case 'refund':
        this.refundsById.set(`${record.refund.merchant} ${record.refund.refund_id}`, record.refund);
        this.count(record.refund);
        break;
      case 'refund_status': {
        const refund = this.refundsById.get(`${record.merchant} ${record.refund_id}`);
        if (refund === undefined) break;
        refund.status = record.status;
        this.count(refund);
      }
    }
  }

  /** Only what was truly given back counts. */
  private count({ status, txn_id, amount }: BookedRefund): void {
    const payment = this.paymentsById.get(txn_id);
    if (status === 'completed' && payment !== undefined) payment.refunded += amount;
  }
}
