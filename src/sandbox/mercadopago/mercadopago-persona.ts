import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { type Call, type Persona } from '../emulator/emulator-server.js';
import { type Answer } from '../emulator/exchange.js';
import { isMerchant } from '../emulator/merchant.js';
import { type Books } from './books.js';
import { type BookedPayment, minorOf, paymentView, refundedOf, refundView, refundWindowMs } from './payment.js';
import { type Settings, type Site } from './settings.js';
import { failed } from './failed.js';
import { Chargebacks } from './chargebacks.js';
import { challengeOver, challengePage } from './challenge-page.js';
import { Orders, refused } from './orders.js';
import { SettlementReports } from './settlement-reports.js';
import { Vault } from './vault.js';
import { behaviourOfCard, behaviourOfPhone, firstState } from './test-data.js';
import { type Unfolding } from './unfolding.js';

export const MERCADOPAGO_ROUTES = [
  'POST /v1/card_tokens', 'POST /platforms/pci/yape/v1/payment', 'POST /v1/payments', 'GET /v1/payments/search', 'GET /v1/payments/:id', 'PUT /v1/payments/:id', 'POST /v1/payments/:id/refunds',
  'GET /v1/payments/:id/refunds', 'POST /v1/orders', 'GET /v1/orders', 'GET /v1/orders/:id', 'POST /v1/orders/:id/capture', 'POST /v1/orders/:id/cancel', 'POST /v1/orders/:id/refund', 'GET /v1/chargebacks/search',
  'GET /v1/chargebacks/:id', 'POST /v1/account/settlement_report', 'GET /v1/account/settlement_report/list', 'POST /v1/account/settlement_report/config', 'GET /v1/account/settlement_report/config', 'PUT /v1/account/settlement_report/config',
  'GET /v1/account/settlement_report/task/:id', 'GET /v1/account/settlement_report/:file', 'POST /v1/customers', 'GET /v1/customers/search', 'DELETE /v1/customers/:id', 'GET /v1/customers/:id/cards', 'POST /v1/customers/:id/cards', 'DELETE /v1/customers/:id/cards/:id',
];

/** How long a key of an order is known (§2.2); of a payment nothing is documented. */
const ORDER_KEY_MS = 24 * 3_600_000;
/** MercadoPago pages no deeper (§2.7). */
const SEARCH_ROWS_MAX = 1_000;
/** What PagoEfectivo takes, in minor units (§2.9). */
const VOUCHER_MINOR = { min: 500, max: 1_000_000 };

/** The payer's browser posts the card itself, from the shop's page. */
const CORS = { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'POST, OPTIONS', 'access-control-allow-headers': 'content-type' };

const cardSchema = z.object({ card_number: z.string().regex(/^[0-9]{13,19}$/), security_code: z.string().regex(/^[0-9]{3,4}$/), expiration_month: z.int().nullish(), expiration_year: z.int().nullish(), cardholder: z.object({ name: z.string().min(1) }) });
const yapeSchema = z.object({ phoneNumber: z.string().regex(/^[0-9]{9}$/), otp: z.literal('123456'), requestId: z.string().min(1) });
const paymentSchema = z.object({
  transaction_amount: z.number(), token: z.string().nullish(), installments: z.int().min(1).nullish(), payment_method_id: z.string(), payer: z.object({ email: z.string().min(3).nullish(), type: z.string().nullish(), id: z.string().nullish() }), capture: z.boolean().nullish(),
  binary_mode: z.boolean().nullish(), three_d_secure_mode: z.string().nullish(), application_fee: z.number().nullish(), external_reference: z.string().max(256).nullish(), metadata: z.record(z.string(), z.unknown()).nullish(),
});

/** MercadoPago's Payments API as mercadopago.md describes it: a key makes a repeat the first call, and a rejected card is answered 201. */
export class MercadopagoPersona implements Persona {
  private readonly vault: Vault;
  private readonly orders: Orders;
  private readonly chargebacks: Chargebacks;
  private readonly reports: SettlementReports;

  /** `challengeUrl`: where the bank's page of a payment is. */
  constructor(private readonly books: Books, private readonly settings: Settings, private readonly unfolding: Unfolding, private readonly challengeUrl: (id: number) => string, private readonly nowMs: () => number) {
    this.vault = new Vault(books, nowMs);
    this.orders = new Orders(books, settings, unfolding, challengeUrl, nowMs);
    this.chargebacks = new Chargebacks(books);
    this.reports = new SettlementReports(books, settings, nowMs);
  }

  readonly routeOf = (method: string, path: string): string | null => {
    const plain = path.replace(/\/$/, '');
    const named = plain.replace(/^\/v1\/(payments)\/[0-9]+/, '/v1/$1/:id').replace(/^\/v1\/(orders)\/[^/]+/, '/v1/$1/:id').replace(/^\/v1\/chargebacks\/[0-9]+$/, '/v1/chargebacks/:id')
      .replace(/^(\/v1\/account\/settlement_report\/task)\/[0-9]+$/, '$1/:id').replace(/^(\/v1\/account\/settlement_report)\/[^/]+\.csv$/, '$1/:file').replace(/^\/v1\/customers\/[^/]+\/cards/, '/v1/customers/:id/cards').replace(/\/cards\/[^/]+$/, '/cards/:id').replace(/^\/v1\/customers\/(?!search$|:id)[^/]+$/, '/v1/customers/:id');
    const route = `${method} ${named}`;
    return MERCADOPAGO_ROUTES.includes(route) ? route : null;
  };

  /** One account has access token and public key with the same suffix (our convention). */
  readonly merchantOf = (headers: Call['headers']): string | null => {
    const match = /^Bearer (?:APP_USR|TEST)-sec-([0-9A-Za-z]{6,})$/.exec(headers.authorization ?? '');
    return match === null ? null : `mp_${match[1] ?? ''}`;
  };

  readonly failure = (status: 500 | 502 | 503 | 504): Answer =>
    (status === 502 ? { status, contentType: 'text/html', text: '<html><body><h1>502 Bad Gateway</h1></body></html>' } : { status, json: { message: 'internal_error', error: null, status, cause: [] } });
  readonly tooMany = (): Answer => ({ status: 429, json: { status: 429, error: 'too_many_requests', message: 'Too many requests' } });
  readonly tooLarge = (): Answer => failed(400, '1', 'The body is too large');

  readonly answer = (call: Call): Answer => {
    this.unfolding.expireOverdue();
    const challenged = /^\/challenge\/([0-9]{1,15})(\/end)?$/.exec(call.url.pathname);
    if (challenged !== null) return this.challenge(Number(challenged[1]), challenged[2] !== undefined, call);
    const route = this.routeOf(call.method, call.url.pathname);
    // A token of a kept card is made by the shop's server, with its secret key.
    const isServers = call.url.pathname === '/v1/card_tokens' && !call.url.searchParams.has('public_key') && this.merchantOf(call.headers) !== null;
    const isBrowser = !isServers && ['/v1/card_tokens', '/platforms/pci/yape/v1/payment'].includes(call.url.pathname);
    if (call.method === 'OPTIONS' && isBrowser) return { status: 204, headers: CORS };
    if (route === null) return { status: 404, json: { message: 'Not found', error: 'not_found', status: 404, cause: [] } };
    if (isBrowser) return { ...this.createToken(call), headers: CORS };
    const merchant = this.merchantOf(call.headers);
    if (merchant === null) return failed(401, '7', 'Unauthorized use of live credentials', 'unauthorized');
    const steps = call.url.pathname.split('/');
    const id = Number(steps[3]);
    const [named = '', last = ''] = [steps[3], steps.at(-1)];
    switch (route) {
      case 'POST /v1/orders': return this.keyedOrder(merchant, call, () => this.orders.create(merchant, this.siteOf(merchant), objectIn(call.body), isLive(call)));
      case 'GET /v1/orders': return this.orders.search(merchant, call.url.searchParams);
      case 'GET /v1/orders/:id': return this.orders.get(merchant, named);
      case 'POST /v1/orders/:id/capture': return this.keyedOrder(merchant, call, () => this.orders.capture(merchant, named));
      case 'POST /v1/orders/:id/cancel': return this.keyedOrder(merchant, call, () => this.orders.cancel(merchant, named));
      case 'POST /v1/orders/:id/refund': return this.keyedOrder(merchant, call, () => this.orders.refund(merchant, named, call.body));
      case 'GET /v1/chargebacks/search': return this.chargebacks.search(merchant, call.url.searchParams);
      case 'GET /v1/chargebacks/:id': return this.chargebacks.get(merchant, named);
      case 'POST /v1/account/settlement_report': return this.reports.create(merchant, objectIn(call.body));
      case 'POST /v1/account/settlement_report/config': return this.reports.configure(merchant, objectIn(call.body), 201);
      case 'PUT /v1/account/settlement_report/config': return this.reports.configure(merchant, objectIn(call.body), 200);
      case 'GET /v1/account/settlement_report/config': return this.reports.config(merchant);
      case 'GET /v1/account/settlement_report/list': return this.reports.list(merchant);
      case 'GET /v1/account/settlement_report/task/:id': return this.reports.taskOf(merchant, last);
      case 'GET /v1/account/settlement_report/:file': return this.reports.file(merchant, last);
      case 'POST /v1/card_tokens': return this.vault.createToken(merchant, objectIn(call.body));
      case 'POST /v1/customers': return this.vault.createCustomer(merchant, objectIn(call.body));
      case 'GET /v1/customers/search': return this.vault.searchCustomers(merchant, call.url.searchParams);
      case 'DELETE /v1/customers/:id': return this.vault.deleteCustomer(merchant, last);
      case 'GET /v1/customers/:id/cards': return this.vault.listCards(merchant, named);
      case 'POST /v1/customers/:id/cards': return this.vault.createCard(merchant, named, objectIn(call.body));
      case 'DELETE /v1/customers/:id/cards/:id': return this.vault.deleteCard(merchant, named, last);
      case 'POST /v1/payments': return this.keyed(merchant, call, () => this.createPayment(merchant, objectIn(call.body), isLive(call)));
      case 'GET /v1/payments/search': return this.search(merchant, call.url.searchParams);
      case 'GET /v1/payments/:id': return this.withPayment(merchant, id, (payment) => ({ status: 200, json: paymentView(payment) }));
      case 'PUT /v1/payments/:id': {
        const update = (): Answer => this.withPayment(merchant, id, (payment) => this.update(payment, objectIn(call.body)));
        // Only payments and refunds must have a key (§2.2).
        return call.headers['x-idempotency-key'] === undefined ? update() : this.keyed(merchant, call, update);
      }
      case 'GET /v1/payments/:id/refunds': return this.withPayment(merchant, id, (payment) => ({ status: 200, json: payment.refunds.map((refund) => refundView(payment, refund)) }));
      default: return this.keyed(merchant, call, () => this.withPayment(merchant, id, (payment) => this.refund(payment, objectIn(call.body))));
    }
  };

  private createToken(call: Call): Answer {
    const match = /^(?:APP_USR|TEST)-pub-([0-9A-Za-z]{6,})$/.exec(call.url.searchParams.get('public_key') ?? '');
    if (match === null) return failed(401, '5', 'Must provide your public_key', 'unauthorized');
    const id = randomBytes(16).toString('hex');
    const merchant = `mp_${match[1] ?? ''}`;
    if (call.url.pathname === '/v1/card_tokens') {
      const card = cardSchema.safeParse(objectIn(call.body)).data;
      if (card === undefined) return failed(400, '3034', 'Invalid card');
      this.books.addToken(id, { merchant, method: 'card', behaviour: behaviourOfCard(card.card_number, card.cardholder.name), card: { bin: card.card_number.slice(0, 6), last4: card.card_number.slice(-4) },
        expiry: { month: card.expiration_month ?? 11, year: card.expiration_year ?? 2030 } });
      return { status: 201, json: { id, public_key: null, first_six_digits: card.card_number.slice(0, 6), last_four_digits: card.card_number.slice(-4), status: 'active', live_mode: true } };
    }
    const yape = yapeSchema.safeParse(objectIn(call.body)).data;
    if (yape === undefined) return failed(400, '1', 'Invalid phone or code');
    this.books.addToken(id, { merchant, method: 'yape', behaviour: behaviourOfPhone(yape.phoneNumber), card: null });
    return { status: 201, json: { id, status: 'active', site_id: 'MPE', first_six_digits: '111111', security_code_length: 6 } };
  }

  /** The bank's page: anybody's who has its address. */
  private challenge(id: number, isEnd: boolean, { method, body }: Call): Answer {
    const payment = this.books.payment(id);
    if (payment?.status_detail !== 'pending_challenge' || !['GET', 'POST'].includes(method)) return { status: 404, contentType: 'text/html', text: '<!doctype html><title>Your bank</title><p>There is nothing to confirm.' };
    if (!isEnd) return challengePage(id);
    this.unfolding.endChallenge(id, new URLSearchParams(body.toString('utf8')).get('outcome') === 'pass');
    return challengeOver();
  }

  private keyed(merchant: string, call: Call, act: () => Answer): Answer {
    return this.keyedBy(merchant, call, act, {
      missing: failed(400, '4292', 'Header X-Idempotency-Key can\'t be null'), lifeMs: Infinity,
      reused: this.settings.current().otherBody === 'conflict' ? { status: 409, json: { message: 'The idempotency key was already used', error: 'conflict', status: 409, cause: [] } } : null,
    });
  }

  private keyedOrder(merchant: string, call: Call, act: () => Answer): Answer {
    return this.keyedBy(merchant, call, act, { missing: refused(400, 'empty_required_header', 'X-Idempotency-Key'), reused: refused(409, 'idempotency_key_already_used', ''), lifeMs: ORDER_KEY_MS });
  }

  /** The same key and body give the first answer again; another body 409, as documented for orders and assumed for payments (null: the first answer, too). */
  private keyedBy(merchant: string, call: Call, act: () => Answer, { missing, reused, lifeMs }: { missing: Answer; reused: Answer | null; lifeMs: number }): Answer {
    const key = call.headers['x-idempotency-key'];
    if (typeof key !== 'string' || key === '') return missing;
    const name = `${merchant} ${call.method} ${call.url.pathname} ${key}`;
    const body = call.body.toString('utf8');
    const kept = this.books.kept(name);
    if (kept !== undefined && (kept.at ?? 0) + lifeMs > this.nowMs()) return reused === null || kept.body === body ? { status: kept.answer.status, json: kept.answer.json } : reused;
    const answer = act();
    if (answer.status < 300 || answer.status === 402) this.books.keep(name, { body, at: this.nowMs(), answer: { status: answer.status, json: answer.json } });
    return answer;
  }

  private createPayment(merchant: string, body: unknown, isLive: boolean): Answer {
    const read = paymentSchema.safeParse(body);
    if (!read.success) return failed(400, '1', 'Params error');
    const { transaction_amount: given, token: tokenId = null, payment_method_id: methodId, capture, three_d_secure_mode: threeDs } = read.data;
    const site = this.siteOf(merchant);
    const amount = minorOf(given, site);
    if (amount === null || amount < 1) return failed(400, '2072', 'Invalid transaction_amount');
    const isVoucher = methodId === 'pagoefectivo_atm';
    if (site !== 'MPE' && (isVoucher || methodId === 'yape')) return failed(400, '3011', 'payment_method not found');
    if (isVoucher && (amount < VOUCHER_MINOR.min || amount > VOUCHER_MINOR.max)) return failed(400, '4037', 'Invalid transaction_amount');
    if (capture === false && (isVoucher || methodId.startsWith('deb'))) return failed(400, '2077', 'Deferred capture not supported');
    if (tokenId !== null && this.books.isSpent(merchant, tokenId)) return { status: 422, json: { message: 'The card token has already been used', error: 'unprocessable_entity', status: 422, cause: [{ code: 3003, description: 'The card token has already been used', data: null }] } };
    const token = tokenId === null ? null : this.books.token(merchant, tokenId);
    if (!isVoucher && token === null) return failed(400, '2062', 'Invalid card token');
    // A kept card is charged for its customer; everybody else says an e-mail address.
    const { payer } = read.data;
    if (token?.customerId !== undefined && (payer.type !== 'customer' || payer.id !== token.customerId)) return failed(400, '2002', 'Customer not found');
    if (token?.customerId === undefined && payer.email == null) return failed(400, '4050', 'payer.email must be a valid email');
    if (!isVoucher && (token?.method === 'yape') !== (methodId === 'yape')) return failed(400, '2131', 'Cannot infer payment method');
    const fee = minorOf(read.data.application_fee ?? 0, site);
    if (fee === null) return failed(400, '4039', 'application_fee is not valid');
    if (fee > amount) return failed(400, '4038', 'application_fee exceeds the amount');
    const id = this.books.nextId();
    const payment: BookedPayment = {
      merchant, site, id, isOrder: false, captures: capture !== false, challenge_url: this.challengeUrl(id), application_fee: fee, external_reference: read.data.external_reference ?? null, amount, 
      ...firstState(isVoucher ? null : token?.behaviour ?? null, capture !== false, { mayChallenge: threeDs === 'optional', mustAuthenticate: threeDs === 'mandatory', isBinary: read.data.binary_mode === true }), live_mode: isLive,
      method: { id: methodId, type: isVoucher ? 'atm' : methodId === 'yape' || methodId.startsWith('deb') ? 'debit_card' : 'credit_card' }, installments: read.data.installments ?? 1, card: token?.card ?? null, refunds: [], created_at: this.nowMs(), updated_at: this.nowMs(),
      metadata: read.data.metadata ?? {}, passes: token?.behaviour.kind === 'challenges' ? token.behaviour.passes : null,
    };
    this.books.addPayment(payment, tokenId);
    this.unfolding.tell(payment, 'payment.created');
    if (payment.status === 'in_process') this.unfolding.reviewLater(payment.id);
    return { status: 201, json: paymentView(payment) };
  }

  private search(merchant: string, query: URLSearchParams): Answer {
    const [asked, offset] = [Number(query.get('limit') ?? 30), Number(query.get('offset') ?? 0)];
    if (!Number.isInteger(asked) || asked < 1) return failed(400, '1003', 'limit must be a positive number');
    if (!Number.isInteger(offset) || offset < 0) return failed(400, '1004', 'offset must be a number');
    const limit = Math.min(asked, this.settings.current().pageRowsMax);
    if (offset + limit > SEARCH_ROWS_MAX) return failed(400, '1000', 'Number of rows exceeded the limits');
    const [from, to] = [this.instantOf(query.get('begin_date') ?? 'NOW-3MONTHS'), this.instantOf(query.get('end_date') ?? 'NOW')];
    if (from === null || to === null) return failed(400, '1001', 'Date format is invalid');
    const at = (name: string) => (payment: BookedPayment): number => (query.get(name) === 'date_last_updated' ? payment.updated_at : payment.created_at);
    const found = this.books.payments(merchant).filter((payment) => this.isVisible(payment)
      && (!query.has('external_reference') || payment.external_reference === query.get('external_reference'))
      && at('range')(payment) >= from && at('range')(payment) <= to)
      .sort((a, b) => at('sort')(a) - at('sort')(b));
    if (query.get('criteria') === 'desc') found.reverse();
    return { status: 200, json: { paging: { total: found.length, limit, offset }, results: found.slice(offset, offset + limit).map(paymentView) } };
  }

  /** An instant in ISO 8601, or so many days or months ago (§2.7). */
  private instantOf(text: string): number | null {
    const [, count = '0', unit] = /^NOW(?:-([0-9]{1,3})(DAYS|MONTHS))?$/.exec(text) ?? [];
    const ms = text.startsWith('NOW') ? this.nowMs() - Number(count) * (unit === 'MONTHS' ? 30 : 1) * 24 * 3_600_000 : Date.parse(text);
    return Number.isNaN(ms) ? null : ms;
  }

  /** Captures, all of it or less, or cancels (§2.6). What is shown of a part that was captured is not documented: here, that part. */
  private update(payment: BookedPayment, body: unknown): Answer {
    const { capture, status, transaction_amount: asked } = (body ?? {}) as { capture?: boolean; status?: string; transaction_amount?: unknown };
    const amount = asked === undefined ? payment.amount : minorOf(asked, payment.site);
    if (capture === true && (amount === null || amount < 1 || amount > payment.amount)) return failed(400, '4037', 'Invalid transaction_amount');
    if (capture === true && payment.status === 'authorized') this.books.change(payment.id, 'approved', 'accredited', amount ?? undefined);
    else if (status === 'cancelled' && ['pending', 'in_process', 'authorized'].includes(payment.status)) this.books.change(payment.id, 'cancelled', 'by_collector');
    else return failed(400, capture === true ? '2063' : '2018', 'The action requested is not valid for the current payment state');
    this.unfolding.tell(payment, 'payment.updated');
    return { status: 200, json: paymentView(this.unfolding.paymentOf(payment.id)) };
  }

  private refund(payment: BookedPayment, body: unknown): Answer {
    const given = (body as { amount?: unknown } | null)?.amount;
    const left = payment.amount - refundedOf(payment, ['approved', 'in_process']);
    const amount = given === undefined || given === null ? left : minorOf(given, payment.site);
    if (!['approved'].includes(payment.status)) return failed(400, '2063', 'The action requested is not valid for the current payment state');
    if (payment.created_at + refundWindowMs(payment) < this.nowMs()) return failed(404, '15016', 'The payment is too old to be refunded', 'not_found');
    if (amount === null || amount < 1) return failed(400, '4040', 'The amount must be positive');
    if (amount > left) return failed(400, '2085', 'The refund exceeds what is left');
    const { refundsInProcess: isLater, partialRefunds, coversRefunds } = this.settings.current();
    // Any amount is a part to who takes none (§3).
    if (!partialRefunds && given != null) return failed(400, '3024', 'Partial refund unsupported');
    const refund = { id: this.books.nextId(), amount, status: isLater ? 'in_process' as const : coversRefunds ? 'approved' as const : 'rejected' as const, created_at: this.nowMs() };
    this.books.addRefund(payment.id, refund);
    if (isLater) this.unfolding.refundLater(payment.id, refund.id);
    else this.unfolding.settle(payment.id);
    return { status: 201, json: refundView(payment, refund) };
  }

  private withPayment(merchant: string, id: number, then: (payment: BookedPayment) => Answer): Answer {
    const payment = this.books.payment(id);
    if (payment === undefined || payment.merchant !== merchant || !this.isVisible(payment)) return failed(404, '2000', 'Payment not found', 'not_found');
    return then(payment);
  }

  private isVisible({ created_at: created }: BookedPayment): boolean {
    return created + this.settings.current().lookupLagMs <= this.nowMs();
  }

  private siteOf(merchant: string): Site {
    return Object.entries(this.settings.current().sites).find(([name]) => isMerchant(merchant, name))?.[1] ?? 'MPE';
  }
}

/** Test credentials make test payments (§1). */
function isLive({ headers }: Call): boolean {
  return headers.authorization?.startsWith('Bearer TEST-') !== true;
}

function objectIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}
