import { type Answer } from '../emulator/exchange.js';
import { type Books } from './books.js';
import { badRequest, invalidToken, notFound, parameterError } from './culqi-error.js';
import { declineOf } from './decline.js';
import { type JsonObject } from './field-rules.js';
import { type Key } from './key.js';
import { newObjectId } from './object-id.js';
import { pageOf } from './paging.js';
import { type Settings } from './settings.js';
import { newCard, readCardRequest, readCustomer } from './vault.js';

/** This e-mail makes the 3DS test cards ask for authentication. */
export const REVIEW_EMAIL = 'review@culqi.com';

/** Customers and their saved cards (culqi.md §1.8). */
export class VaultRoutes {
  constructor(private readonly books: Books, private readonly settings: Settings, private readonly nowMs: () => number) {}

  createCustomer(key: Key, body: JsonObject): Answer {
    const customer = readCustomer(body, key.environment, this.nowMs());
    if ('broken' in customer) return parameterError(customer.broken);
    if (this.books.customers(key.merchant).some(({ email }) => email === customer.email)) return badRequest('Un cliente con este correo ya existe.');
    this.books.addCustomer({ ...customer, merchant: key.merchant });
    return { status: 201, json: customer };
  }

  /** A decline answers 400 here, not 402. */
  createCard(key: Key, body: JsonObject): Answer {
    const request = readCardRequest(body);
    if ('broken' in request) return parameterError(request.broken);
    const customer = this.books.customers(key.merchant).find(({ id }) => id === request.customerId);
    if (customer === undefined) return notFound(request.customerId);
    const stored = this.books.token(key.merchant, request.tokenId);
    if (stored === null || this.books.isSpent(request.tokenId) || this.nowMs() >= stored.token.creation_date + this.settings.current().tokenLifetimeMs) return invalidToken();
    if (stored.behaviour.kind === 'asks_3ds' && stored.token.email === REVIEW_EMAIL && !request.isAuthenticated) {
      return { status: 200, json: { action_code: 'REVIEW', user_message: 'Debe autenticarse con 3DS.' } };
    }
    const decline = declineOf(stored.behaviour, request.isAuthenticated);
    if (decline !== null) return { status: 400, json: decline.errorBody(newObjectId('chr', key.environment)) };
    const card = newCard(customer.id, stored.token, request.metadata, key.environment, this.nowMs());
    this.books.addCard({ ...card, merchant: key.merchant, behaviour: stored.behaviour }, request.tokenId);
    return { status: 201, json: card };
  }

  list(key: Key, kind: 'customers' | 'cards', query: URLSearchParams): Answer {
    const newestFirst = this.entriesOf(key, kind).reverse();
    return pageOf(query, { name: kind, newestFirst, isWanted: () => true, viewOf: (entry) => entry, countsRest: false });
  }

  get(key: Key, kind: 'customers' | 'cards', id: string): Answer {
    const entry = this.entriesOf(key, kind).find((one) => one.id === id);
    if (entry === undefined) return notFound(id);
    const cards = this.entriesOf(key, 'cards').filter((card) => 'customer_id' in card && card.customer_id === id);
    return { status: 200, json: kind === 'customers' ? { ...entry, cards } : entry };
  }

  delete(key: Key, kind: 'customers' | 'cards', id: string): Answer {
    if (!this.entriesOf(key, kind).some((one) => one.id === id)) return notFound(id);
    this.books.addDeletion(id);
    return { status: 200, json: { id, deleted: true, merchant_message: 'Se eliminó exitosamente.' } };
  }

  private entriesOf(key: Key, kind: 'customers' | 'cards') {
    const stored = kind === 'customers' ? this.books.customers(key.merchant) : this.books.cards(key.merchant);
    return stored.map((one) => Object.fromEntries(Object.entries(one).filter(([name]) => name !== 'merchant' && name !== 'behaviour')) as { id: string; customer_id?: string });
  }
}
