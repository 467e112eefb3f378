import { join } from 'node:path';
import { Journal } from '../emulator/journal.js';
import { isMerchant } from '../emulator/merchant.js';
import { type BookedPayment, type BookedRefund, endsAt } from './payment.js';
import { type Behaviour } from './test-data.js';

export interface StoredToken {
  merchant: string;
  behaviour: Behaviour;
  method: 'card' | 'yape';
  card: BookedPayment['card'];
  expiry?: { month: number; year: number };
  /** Of a kept card: whose it is. */
  customerId?: string;
}

/** A customer of a merchant's (mercadopago.md §6): one for each e-mail address. */
export interface StoredCustomer {
  merchant: string;
  id: string;
  email: string;
  first_name: string | null;
  last_name: string | null;
  created_at: number;
}

/** A card that is kept: what a token was made of, under an id of its own. */
export interface StoredCard {
  merchant: string;
  id: string;
  customer_id: string;
  token: StoredToken;
  created_at: number;
}

/** What a request under a key was answered, and with what body it came. */
export interface KeptAnswer {
  body: string;
  /** Since when; older books do not say. */
  at?: number;
  answer: { status: number; json: unknown };
}

type JournalRecord =
  | { kind: 'token'; id: string; token: StoredToken }
  | { kind: 'payment'; payment: BookedPayment; tokenId: string | null }
  | { kind: 'change'; id: number; status: BookedPayment['status']; detail: string; amount?: number; at: number }
  | { kind: 'refund'; id: number; refund: BookedRefund; at: number }
  | { kind: 'refund_status'; id: number; refundId: number; status: BookedRefund['status']; at: number }
  | { kind: 'customer'; customer: StoredCustomer }
  | { kind: 'card'; card: StoredCard; tokenId: string }
  | { kind: 'card_gone'; id: string }
  | { kind: 'customer_gone'; id: string }
  | { kind: 'key'; name: string; kept: KeptAnswer };

/** Webhooks of one life of the process, at most. */
const WEBHOOKS_MAX = 100_000;

/** MercadoPago's truth. With a folder it outlives the process. */
export class Books {
  private journal: Journal | null = null;
  private readonly tokens = new Map<string, StoredToken>();
  private readonly spent = new Set<string>();
  private readonly paymentsById = new Map<number, BookedPayment>();
  private readonly customersById = new Map<string, StoredCustomer>();
  private readonly cardsById = new Map<string, StoredCard>();
  private readonly keys = new Map<string, KeptAnswer>();
  /** Larger than 2^53 would be truer still, but then a test could not write it. */
  private lastId = 123_456_789_000;

  constructor(private readonly nowMs: () => number) {}

  open(dataDir: string): void {
    this.journal = Journal.open(join(dataDir, 'mercadopago.journal.jsonl'), (record) => { this.remember(record as JournalRecord); });
    // Webhooks have ids of the same row, and are not in the journal: none is given out twice.
    this.lastId += WEBHOOKS_MAX;
  }

  nextId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  addToken(id: string, token: StoredToken): void {
    this.write({ kind: 'token', id, token });
  }

  addCustomer(customer: StoredCustomer): void {
    this.write({ kind: 'customer', customer });
  }

  deleteCustomer(id: string): void {
    this.write({ kind: 'customer_gone', id });
  }

  /** Keeps a card and uses up its token. */
  addCard(card: StoredCard, tokenId: string): void {
    this.write({ kind: 'card', card, tokenId });
  }

  deleteCard(id: string): void {
    this.write({ kind: 'card_gone', id });
  }

  customers(merchant?: string): StoredCustomer[] {
    return structuredClone([...this.customersById.values()].filter((one) => isMerchant(one.merchant, merchant)));
  }

  cards(merchant?: string): StoredCard[] {
    return structuredClone([...this.cardsById.values()].filter((one) => isMerchant(one.merchant, merchant)));
  }

  /** Books a payment and uses up its token. */
  addPayment(payment: BookedPayment, tokenId: string | null): void {
    this.write({ kind: 'payment', payment, tokenId });
  }

  /** With `amount`: what of it was captured. */
  change(id: number, status: BookedPayment['status'], detail: string, amount?: number): void {
    this.write({ kind: 'change', id, status, detail, ...(amount === undefined ? {} : { amount }), at: this.nowMs() });
  }

  addRefund(id: number, refund: BookedRefund): void {
    this.write({ kind: 'refund', id, refund, at: this.nowMs() });
  }

  changeRefund(id: number, refundId: number, status: BookedRefund['status']): void {
    this.write({ kind: 'refund_status', id, refundId, status, at: this.nowMs() });
  }

  keep(name: string, kept: KeptAnswer): void {
    this.write({ kind: 'key', name, kept });
  }

  kept(name: string): KeptAnswer | undefined {
    return this.keys.get(name);
  }

  /** A token that can still be charged. */
  token(merchant: string, id: string): StoredToken | null {
    const token = this.tokens.get(id);
    return token?.merchant === merchant && !this.spent.has(id) ? token : null;
  }

  /** Whether the token was this merchant's, and is used up. */
  isSpent(merchant: string, id: string): boolean {
    return this.tokens.get(id)?.merchant === merchant && this.spent.has(id);
  }

  /** The payments that wait no longer: their time is over. */
  overdue(): number[] {
    return [...this.paymentsById.values()].filter((payment) => (endsAt(payment) ?? Infinity) <= this.nowMs()).map(({ id }) => id);
  }

  payment(id: number): BookedPayment | undefined {
    return this.paymentsById.get(id);
  }

  /** All payments, oldest first, of the merchants that go by this name. */
  payments(merchant?: string): BookedPayment[] {
    return structuredClone([...this.paymentsById.values()].filter((one) => isMerchant(one.merchant, merchant)));
  }

  clear(): void {
    this.journal?.clear();
    for (const map of [this.tokens, this.spent, this.paymentsById, this.customersById, this.cardsById, this.keys]) map.clear();
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
    if (record.kind === 'token') this.tokens.set(record.id, record.token);
    else if (record.kind === 'key') this.keys.set(record.name, record.kept);
    else if (record.kind === 'customer') this.customersById.set(record.customer.id, record.customer);
    else if (record.kind === 'customer_gone') this.customersById.delete(record.id);
    else if (record.kind === 'card_gone') this.cardsById.delete(record.id);
    else if (record.kind === 'card') {
      this.cardsById.set(record.card.id, record.card);
      this.spent.add(record.tokenId);
    }
    else if (record.kind === 'payment') {
      this.paymentsById.set(record.payment.id, record.payment);
      this.lastId = Math.max(this.lastId, record.payment.id);
      if (record.tokenId !== null) this.spent.add(record.tokenId);
    } else this.rememberChange(record);
  }

  private rememberChange(record: Extract<JournalRecord, { kind: 'change' | 'refund' | 'refund_status' }>): void {
    const payment = this.paymentsById.get(record.id);
    if (payment === undefined) throw new Error(`the books have no payment ${record.id}`);
    payment.updated_at = record.at;
    if (record.kind === 'change') {
      payment.status = record.status;
      payment.status_detail = record.detail;
      payment.amount = record.amount ?? payment.amount;
    } else if (record.kind === 'refund') {
      payment.refunds.push(record.refund);
      this.lastId = Math.max(this.lastId, record.refund.id);
    } else {
      const refund = payment.refunds.find(({ id }) => id === record.refundId);
      if (refund !== undefined) refund.status = record.status;
    }
  }
}
