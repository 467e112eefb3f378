import { join } from 'node:path';
import { isMerchant } from '../emulator/merchant.js';
import { Journal } from '../emulator/journal.js';
import { type Charge } from './charge.js';
import { type Refund } from './refund.js';
import { type CardBehaviour } from './test-cards.js';
import { type Token } from './token.js';
import { type Card, type Customer } from './vault.js';

/** A token and what its card will do; never the card's number. */
export interface StoredToken {
  merchant: string;
  token: Token;
  behaviour: CardBehaviour;
  /** What a Yape approval was given for; a card's token is good for any amount. */
  amount?: number;
}

/** A saved card and what it will do when it is charged. */
export type StoredCard = Card & { merchant: string; behaviour: CardBehaviour };
export type StoredCustomer = Customer & { merchant: string };

interface StoredCharge {
  merchant: string;
  approved: boolean;
  charge: Charge;
}

/** A charge as it truly is, of whichever merchant. `approved` is false for one that failed. */
export type BookedCharge = Charge & { merchant: string; approved: boolean };

/** A refund as it truly is. A reversal by Culqi itself has none. */
export type BookedRefund = Refund & { merchant: string };

type JournalRecord =
  | ({ kind: 'token' } & StoredToken)
  | ({ kind: 'charge' } & StoredCharge)
  | { kind: 'capture'; merchant: string; chargeId: string }
  | { kind: 'refund'; merchant: string; refund: Refund }
  | { kind: 'reversal'; merchant: string; chargeId: string }
  | { kind: 'dispute'; merchant: string; chargeId: string }
  | { kind: 'customer'; customer: StoredCustomer }
  | { kind: 'card'; card: StoredCard; tokenId: string }
  | { kind: 'deletion'; id: string };

/** Culqi's truth: every token and charge, failed ones too. With a folder it outlives the process. */
export class Books {
  private journal: Journal | null = null;
  private readonly tokens = new Map<string, StoredToken>();
  private readonly spentTokenIds = new Set<string>();
  private readonly customersById = new Map<string, StoredCustomer>();
  private readonly cardsById = new Map<string, StoredCard>();
  private booked: StoredCharge[] = [];
  private refunded: BookedRefund[] = [];
  private readonly chargesById = new Map<string, StoredCharge>();
  private readonly chargesByMerchant = new Map<string, Charge[]>();

  /** Reads what was booked before and writes on from there. */
  open(dataDir: string): void {
    this.journal = Journal.open(join(dataDir, 'culqi.journal.jsonl'), (record) => this.remember(record as JournalRecord));
  }

  addToken(stored: StoredToken): void {
    this.write({ kind: 'token', ...stored });
  }

  /** Books a charge and uses up its token, in one record. */
  addCharge(merchant: string, charge: Charge, approved: boolean): void {
    this.write({ kind: 'charge', merchant, approved, charge });
  }

  /** Takes the money that a charge has reserved. */
  addCapture(merchant: string, chargeId: string): void {
    this.write({ kind: 'capture', merchant, chargeId });
  }

  /** Gives money of a charge back. Nothing stops a second one but the rest of the charge. */
  addRefund(merchant: string, refund: Refund): void {
    this.write({ kind: 'refund', merchant, refund });
  }

  /** Lets go of what nobody captured in time. */
  addReversal(merchant: string, chargeId: string): void {
    this.write({ kind: 'reversal', merchant, chargeId });
  }

  /** The cardholder's bank wants the money back. */
  addDispute(merchant: string, chargeId: string): void {
    this.write({ kind: 'dispute', merchant, chargeId });
  }

  addCustomer(customer: StoredCustomer): void {
    this.write({ kind: 'customer', customer });
  }

  /** Saves a card and uses up the token that it is made from. */
  addCard(card: StoredCard, tokenId: string): void {
    this.write({ kind: 'card', card, tokenId });
  }

  /** Takes a customer or a card away. */
  addDeletion(id: string): void {
    this.write({ kind: 'deletion', id });
  }

  customers(merchant?: string): StoredCustomer[] {
    return [...this.customersById.values()].filter((one) => isMerchant(one.merchant, merchant));
  }

  cards(merchant?: string): StoredCard[] {
    return [...this.cardsById.values()].filter((one) => isMerchant(one.merchant, merchant));
  }

  /** The merchant's refund with this id. */
  refund(merchant: string, id: string): Refund | null {
    const found = this.refunded.find((one) => one.merchant === merchant && one.id === id);
    if (found === undefined) return null;
    const { merchant: _merchant, ...refund } = found;
    return refund;
  }

  /** All refunds of one merchant, oldest first. */
  refundsOf(merchant: string): Refund[] {
    return this.refunded.filter((one) => one.merchant === merchant).map(({ merchant: _merchant, ...refund }) => refund);
  }

  /** All refunds, oldest first, of the merchants that go by this name. */
  refunds(merchant?: string): BookedRefund[] {
    return structuredClone(this.refunded.filter((one) => isMerchant(one.merchant, merchant)));
  }

  /** The merchant's token with this id. */
  token(merchant: string, id: string): StoredToken | null {
    const stored = this.tokens.get(id);
    return stored?.merchant === merchant ? stored : null;
  }

  /** What the card of this token does; undefined for no such token. */
  behaviourOf(tokenId: string): CardBehaviour | undefined {
    return this.tokens.get(tokenId)?.behaviour;
  }

  isSpent(tokenId: string): boolean {
    return this.spentTokenIds.has(tokenId);
  }

  /** The merchant's charge with this id. */
  charge(merchant: string, id: string): Charge | null {
    const stored = this.chargesById.get(id);
    return stored?.merchant === merchant ? stored.charge : null;
  }

  /** All charges of one merchant, oldest first. */
  chargesOf(merchant: string): readonly Charge[] {
    return this.chargesByMerchant.get(merchant) ?? [];
  }

  /** All charges, oldest first, of the merchants that go by this name. */
  charges(merchant?: string): BookedCharge[] {
    const stored = this.booked.filter((one) => isMerchant(one.merchant, merchant));
    return stored.map(({ charge, ...rest }) => ({ ...structuredClone(charge), ...rest }));
  }

  /** How many tokens were made. */
  tokenCount(merchant?: string): number {
    return [...this.tokens.values()].filter((stored) => isMerchant(stored.merchant, merchant)).length;
  }

  clear(): void {
    this.journal?.clear();
    this.tokens.clear();
    this.spentTokenIds.clear();
    this.booked = [];
    this.refunded = [];
    this.chargesById.clear();
    this.customersById.clear();
    this.cardsById.clear();
    this.chargesByMerchant.clear();
  }

  close(): void {
    this.journal?.close();
    this.journal = null;
  }

  private write(record: JournalRecord): void {
    this.journal?.append(record);
    this.remember(record);
  }

  private remember(record: JournalRecord): void {
    if (record.kind === 'token') {
      const { kind: _kind, ...stored } = record;
      this.tokens.set(record.token.id, stored);
      return;
    }
    if (record.kind === 'customer' || record.kind === 'card' || record.kind === 'deletion') {
      this.rememberKept(record);
      return;
    }
    if (record.kind !== 'charge') {
      this.rememberChange(record);
      return;
    }
    const { merchant, approved, charge } = record;
    const stored = { merchant, approved, charge };
    // A saved card is charged again and again.
    if (!charge.source.id.startsWith('crd_')) this.spentTokenIds.add(charge.source.id);
    this.booked.push(stored);
    this.chargesById.set(charge.id, stored);
    const ofMerchant = this.chargesByMerchant.get(merchant) ?? [];
    ofMerchant.push(charge);
    this.chargesByMerchant.set(merchant, ofMerchant);
  }

  private rememberKept(record: Extract<JournalRecord, { kind: 'customer' | 'card' | 'deletion' }>): void {
    if (record.kind === 'customer') this.customersById.set(record.customer.id, record.customer);
    else if (record.kind === 'card') {
      this.cardsById.set(record.card.id, record.card);
      this.spentTokenIds.add(record.tokenId);
    } else {
      this.customersById.delete(record.id);
      this.cardsById.delete(record.id);
    }
  }

  private rememberChange(record: Extract<JournalRecord, { kind: 'capture' | 'refund' | 'reversal' | 'dispute' }>): void {
    const chargeId = record.kind === 'refund' ? record.refund.charge_id : record.chargeId;
    const charge = this.chargesById.get(chargeId)?.charge;
    if (charge === undefined) throw new Error(`the books have no charge ${chargeId}`);
    if (record.kind === 'capture') charge.capture = true;
    else if (record.kind === 'dispute') charge.dispute = true;
    else {
      const given = record.kind === 'refund' ? record.refund.amount : charge.current_amount;
      charge.amount_refunded += given;
      charge.current_amount -= given;
    }
    if (record.kind === 'refund') this.refunded.push({ ...record.refund, merchant: record.merchant });
  }
}
