import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { type Answer } from '../emulator/exchange.js';
import { type Books, type StoredCard, type StoredCustomer } from './books.js';
import { failed } from './failed.js';
import { stamp } from './payment.js';

const customerSchema = z.object({ email: z.string().min(3), first_name: z.string().nullish(), last_name: z.string().nullish() });
const cardSchema = z.object({ token: z.string() });
const tokenSchema = z.object({ card_id: z.string(), customer_id: z.string().nullish(), security_code: z.string().nullish() });

/** MercadoPago's customers and their cards. */
export class Vault {
  constructor(private readonly books: Books, private readonly nowMs: () => number) {}

  createCustomer(merchant: string, body: unknown): Answer {
    const read = customerSchema.safeParse(body).data;
    if (read === undefined) return failed(400, '4050', 'Invalid email');
    // The code is not verified (§6).
    if (this.books.customers(merchant).some(({ email }) => email === read.email)) return failed(400, '101', 'the customer already exist');
    const customer: StoredCustomer = {
      merchant, id: `${this.books.nextId()}-${randomBytes(7).toString('hex')}`, email: read.email, first_name: read.first_name ?? null, last_name: read.last_name ?? null, created_at: this.nowMs(),
    };
    this.books.addCustomer(customer);
    return { status: 201, json: customerView(customer) };
  }

  searchCustomers(merchant: string, query: URLSearchParams): Answer {
    const found = this.books.customers(merchant).filter(({ email }) => !query.has('email') || email === query.get('email'));
    return { status: 200, json: { paging: { total: found.length, limit: 10, offset: 0 }, results: found.slice(0, 10).map(customerView) } };
  }

  /** Leaves its cards, for nobody to find: whether they go with it is not documented. */
  deleteCustomer(merchant: string, customerId: string): Answer {
    const customer = this.books.customers(merchant).find(({ id }) => id === customerId);
    if (customer === undefined) return failed(404, '2002', 'Customer not found', 'not_found');
    this.books.deleteCustomer(customerId);
    return { status: 200, json: customerView(customer) };
  }

  /** A bare list (§6). */
  listCards(merchant: string, customerId: string): Answer {
    if (!this.books.customers(merchant).some(({ id }) => id === customerId)) return failed(404, '2002', 'Customer not found', 'not_found');
    return { status: 200, json: this.books.cards(merchant).filter(({ customer_id: owner }) => owner === customerId).map(cardView) };
  }

  /** Uses the token up. */
  createCard(merchant: string, customerId: string, body: unknown): Answer {
    const tokenId = cardSchema.safeParse(body).data?.token ?? '';
    const token = this.books.token(merchant, tokenId);
    if (!this.books.customers(merchant).some(({ id }) => id === customerId)) return failed(404, '2002', 'Customer not found', 'not_found');
    if (token?.method !== 'card') return failed(400, '3003', 'Invalid card_token_id');
    const card: StoredCard = { merchant, id: String(this.books.nextId()), customer_id: customerId, token, created_at: this.nowMs() };
    this.books.addCard(card, tokenId);
    return { status: 201, json: cardView(card) };
  }

  deleteCard(merchant: string, customerId: string, cardId: string): Answer {
    const card = this.books.cards(merchant).find(({ id, customer_id: owner }) => id === cardId && owner === customerId);
    // With which code is not documented.
    if (card === undefined) return { status: 404, json: { message: 'Card not found', error: 'not_found', status: 404, cause: [] } };
    this.books.deleteCard(cardId);
    return { status: 200, json: cardView(card) };
  }

  /** A token of a card that is kept, for one payment. */
  createToken(merchant: string, body: unknown): Answer {
    const read = tokenSchema.safeParse(body).data;
    const card = this.books.cards(merchant).find(({ id, customer_id: owner }) => id === read?.card_id && (read.customer_id == null || read.customer_id === owner));
    if (card === undefined) return failed(400, '3034', 'Invalid card');
    const id = randomBytes(16).toString('hex');
    this.books.addToken(id, { ...card.token, customerId: card.customer_id });
    return { status: 201, json: { id, card_id: card.id, first_six_digits: card.token.card?.bin, last_four_digits: card.token.card?.last4, status: 'active', live_mode: true } };
  }
}

function customerView({ id, email, first_name, last_name, created_at: created }: StoredCustomer): Record<string, unknown> {
  return { id, email, first_name, last_name, phone: {}, identification: {}, address: {}, date_registered: null, description: null, date_created: stamp(created), default_card: null, cards: [], live_mode: true };
}

/** Cards whose number begins with 4 are Visa's, and all others Mastercard's: enough for an emulator. */
function cardView({ id, customer_id, token, created_at: created }: StoredCard): Record<string, unknown> {
  const brand = token.card?.bin.startsWith('4') === true ? 'visa' : 'master';
  return {
    id, customer_id, expiration_month: token.expiry?.month ?? 11, expiration_year: token.expiry?.year ?? 2030, first_six_digits: token.card?.bin, last_four_digits: token.card?.last4,
    payment_method: { id: brand, name: brand, payment_type_id: 'credit_card' }, security_code: { length: 3, card_location: 'back' }, issuer: { id: 12_345, name: 'Bank' },
    cardholder: { name: 'APRO', identification: {} }, date_created: stamp(created), date_last_updated: stamp(created), user_id: '998877', live_mode: true,
  };
}
