import { type Answer } from '../emulator/exchange.js';
import { type Call, type Persona } from '../emulator/emulator-server.js';
import { isMerchant } from '../emulator/merchant.js';
import { type WebhookSender } from '../emulator/webhook-sender.js';
import { type Books } from './books.js';
import { approvedCharge, type Charge, failedCharge } from './charge.js';
import { listCharges } from './charge-list.js';
import { type ChargeRequest, readChargeRequest } from './charge-request.js';
import { sparseCharge } from './charge-view.js';
import { badRequest, invalidKey, invalidToken, notFound, parameterError, serviceFailure, tooManyRequests } from './culqi-error.js';
import { declineOf } from './decline.js';
import { isObject, type JsonObject } from './field-rules.js';
import { type Environment, type Key, readKey } from './key.js';
import { listRefunds, newRefund, readRefundRequest, type Refund, type RefundRequest } from './refund.js';
import { type Settings } from './settings.js';
import { type CardBehaviour } from './test-cards.js';
import { newToken, readTokenRequest, type Token } from './token.js';
import { REVIEW_EMAIL, VaultRoutes } from './vault-routes.js';
import { chargeData, type CulqiEvent, eventBody, refundData } from './webhook-body.js';
import { newYapeToken, readYapeRequest } from './yape.js';

/** The routes of both of Culqi's hosts, by the key each wants; the token host sends none of the `x-culqi-…` headers. */
const ROUTES: Record<string, { key: Key['kind']; isTokenHost?: true }> = {
  'POST /v2/tokens': { key: 'pk', isTokenHost: true },
  'GET /v2/tokens/:id': { key: 'sk' },
  'POST /v2/charges': { key: 'sk' },
  'GET /v2/charges': { key: 'sk' },
  'GET /v2/charges/:id': { key: 'sk' },
  'POST /v2/charges/:id/capture': { key: 'sk' },
  'POST /v2/tokens/yape': { key: 'pk', isTokenHost: true },
  'POST /v2/refunds': { key: 'sk' },
  'GET /v2/refunds': { key: 'sk' },
  'POST /v2/customers': { key: 'sk' },
  'GET /v2/customers': { key: 'sk' },
  'GET /v2/customers/:id': { key: 'sk' },
  'DELETE /v2/customers/:id': { key: 'sk' },
  'POST /v2/cards': { key: 'sk' },
  'GET /v2/cards': { key: 'sk' },
  'GET /v2/cards/:id': { key: 'sk' },
  'DELETE /v2/cards/:id': { key: 'sk' },
  'GET /v2/refunds/:id': { key: 'sk' },
};

export const CULQI_ROUTES = Object.keys(ROUTES);

/** The payer's browser posts the card itself, from the shop's page. */
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'POST, OPTIONS',
  'access-control-allow-headers': '*, authorization, content-type',
};

/** For so long a charge that is not captured reserves its money (culqi.md §1.6). */
const RESERVED_MS = 4 * 24 * 60 * 60 * 1000;

/** Culqi (Peru) as culqi.md describes it: charges are not idempotent, and only a used-up token stops a second one. */
export class CulqiPersona implements Persona {
  private trackingId = 1_000_000;

  private readonly vault: VaultRoutes;

  constructor(private readonly books: Books, private readonly settings: Settings, private readonly webhooks: WebhookSender, private readonly nowMs: () => number) {
    this.vault = new VaultRoutes(books, settings, nowMs);
  }

  readonly merchantOf = (headers: Call['headers']): string | null => readKey(headers)?.merchant ?? null;
  readonly failure = (status: 500 | 502 | 503 | 504, path: string): Answer => serviceFailure(status, path, this.nowMs());
  readonly tooMany = tooManyRequests;
  readonly tooLarge = (): Answer => badRequest('El cuerpo es demasiado grande.', 413);

  readonly routeOf = (method: string, path: string): string | null => {
    const route = `${method} ${path === '/v2/tokens/yape' ? path : path.replace(/^(\/v2\/(?:tokens|charges|refunds|customers|cards))\/[^/]+($|\/capture$)/, '$1/:id$2')}`;
    return Object.hasOwn(ROUTES, route) ? route : null;
  };

  readonly answer = (call: Call): Answer => {
    if (call.method === 'OPTIONS' && ['/v2/tokens', '/v2/tokens/yape'].includes(call.url.pathname)) return { status: 204, headers: CORS };
    const route = this.routeOf(call.method, call.url.pathname);
    const rule = ROUTES[route ?? ''];
    if (route === null || rule === undefined) return badRequest('La ruta no existe.', 404);
    const key = readKey(call.headers);
    const answer = key?.kind === rule.key ? this.answerTo(route, key, call) : invalidKey();
    return { ...answer, headers: rule.isTokenHost === true ? CORS : this.apiHeaders(key) };
  };

  private answerTo(route: string, key: Key, call: Call): Answer {
    const id = call.url.pathname.split('/')[3] ?? '';
    switch (route) {
      case 'POST /v2/tokens':
        return withJsonBody(call, (body) => this.createToken(key, body));
      case 'POST /v2/tokens/yape':
        return withJsonBody(call, (body) => this.createYapeToken(key, body));
      case 'POST /v2/customers':
        return withJsonBody(call, (body) => this.vault.createCustomer(key, body));
      case 'POST /v2/cards':
        return withJsonBody(call, (body) => this.vault.createCard(key, body));
      case 'GET /v2/customers':
      case 'GET /v2/cards':
        return this.vault.list(key, kindIn(route), call.url.searchParams);
      case 'GET /v2/customers/:id':
      case 'GET /v2/cards/:id':
        return this.vault.get(key, kindIn(route), id);
      case 'DELETE /v2/customers/:id':
      case 'DELETE /v2/cards/:id':
        return this.vault.delete(key, kindIn(route), id);
      case 'GET /v2/refunds':
        return listRefunds(this.books.refundsOf(key.merchant).reverse(), call.url.searchParams);
      case 'POST /v2/charges':
        return withJsonBody(call, (body) => this.createCharge(key, body));
      case 'GET /v2/charges':
        return listCharges(this.visibleCharges(key).reverse(), call.url.searchParams, sparseCharge);
      case 'GET /v2/charges/:id': {
        const charge = this.chargeNow(key.merchant, id);
        return charge === null || !this.isVisible(charge) ? notFound(id) : { status: 200, json: { ...sparseCharge(charge), operations: [] } };
      }
      case 'POST /v2/charges/:id/capture':
        return this.capture(key, id);
      case 'POST /v2/refunds':
        return withJsonBody(call, (body) => this.createRefund(key, body));
      case 'GET /v2/refunds/:id': {
        const refund = this.books.refund(key.merchant, id);
        return refund === null ? notFound(id) : { status: 200, json: refund };
      }
      default: {
        const stored = this.books.token(key.merchant, id);
        return stored === null ? notFound(id) : { status: 200, json: stored.token };
      }
    }
  }

  private createToken(key: Key, body: JsonObject): Answer {
    const request = readTokenRequest(body, this.nowMs());
    if ('broken' in request) return parameterError(request.broken);
    const made = newToken(request, key.environment, this.nowMs());
    this.books.addToken({ merchant: key.merchant, ...made });
    return { status: 201, json: made.token };
  }

  private createCharge(key: Key, body: JsonObject): Answer {
    const request = readChargeRequest(body, this.settings.current().limits);
    if ('broken' in request) return parameterError(request.broken);
    const source = this.sourceOf(key, request);
    if (source === null) return invalidToken();
    if ('broken' in source) return parameterError(source.broken);
    const { token, behaviour } = source;
    if (behaviour.kind === 'asks_3ds' && request.email === REVIEW_EMAIL && !request.isAuthenticated) {
      return { status: 200, json: { action_code: 'REVIEW', user_message: 'Debe autenticarse con 3DS.' } };
    }
    const decline = declineOf(behaviour, request.isAuthenticated);
    const nowMs = this.nowMs();
    if (decline === null) {
      const charge = approvedCharge(request, token, key.environment, nowMs);
      this.books.addCharge(key.merchant, charge, true);
      this.tell(key.merchant, 'charge.creation.succeeded', chargeData(charge));
      return { status: 201, json: charge };
    }
    const charge = failedCharge(request, token, key.environment, nowMs, decline.storedOutcome);
    this.books.addCharge(key.merchant, charge, false);
    this.tell(key.merchant, 'charge.creation.failed', chargeData(charge));
    return { status: 402, json: decline.errorBody(charge.id) };
  }

  /** What is charged; null when it is not there, used up or too old. */
  private sourceOf(key: Key, { sourceId, amount, currency, capture }: ChargeRequest): { token: Token; behaviour: CardBehaviour } | { broken: string } | null {
    if (sourceId.startsWith('crd_')) {
      const card = this.books.cards(key.merchant).find(({ id }) => id === sourceId);
      // How a charge shows a saved card is not published: as the token it was made from, under its own id.
      return card === undefined ? null : { token: { ...card.source, id: card.id }, behaviour: card.behaviour };
    }
    const stored = this.books.token(key.merchant, sourceId);
    const { tokenLifetimeMs, yapeTokenLifetimeMs, tokensStayGood } = this.settings.current();
    const lifetimeMs = stored?.token.type === 'yape' ? yapeTokenLifetimeMs : tokenLifetimeMs;
    if (stored === null || (this.books.isSpent(sourceId) && !tokensStayGood) || this.nowMs() >= stored.token.creation_date + lifetimeMs) return null;
    if (stored.token.type === 'yape') {
      if (currency !== 'PEN') return { broken: 'currency_code' };
      if (!capture) return { broken: 'capture' };
      if (amount !== stored.amount) return { broken: 'amount' };
    }
    return stored;
  }

  private createYapeToken(key: Key, body: JsonObject): Answer {
    const request = readYapeRequest(body);
    if ('broken' in request) return parameterError(request.broken);
    const made = newYapeToken(request, key.environment, this.nowMs());
    this.books.addToken({ merchant: key.merchant, ...made });
    return { status: 201, json: made.token };
  }

  /** The whole amount, once. The answer's `capture_date` stays null, as recorded. */
  private capture(key: Key, id: string): Answer {
    const charge = this.chargeNow(key.merchant, id);
    if (charge === null) return notFound(id);
    if (charge.capture !== false || charge.amount_refunded > 0) return badRequest('El cargo no se puede capturar.');
    this.captureNow(key.merchant, charge);
    return { status: 201, json: { ...charge, operations: [] } };
  }

  /** Takes the money, asked or not. */
  captureNow(merchant: string, charge: Charge): void {
    this.books.addCapture(merchant, charge.id);
    this.tell(merchant, 'charge.capture.succeeded', chargeData(charge));
  }

  /** Also of a charge that was not captured; never more than is left of it. */
  private createRefund(key: Key, body: JsonObject): Answer {
    const request = readRefundRequest(body);
    if ('broken' in request) return parameterError(request.broken);
    const charge = this.chargeNow(key.merchant, request.chargeId);
    if (charge === null) return notFound(request.chargeId);
    if (charge.capture === null) return badRequest('El cargo no fue exitoso.');
    if (request.amount > charge.current_amount) return badRequest('El monto excede lo que queda del cargo.');
    return { status: 201, json: this.refundNow(key.merchant, key.environment, request) };
  }

  /** Gives money back, asked by the API or by a person in the panel. */
  refundNow(merchant: string, environment: Environment, request: RefundRequest): Refund {
    const refund = newRefund(request, environment, this.nowMs());
    this.books.addRefund(merchant, refund);
    this.tell(merchant, 'refund.creation.succeeded', refundData(refund));
    return refund;
  }

  /** Lets go of money that nobody took. */
  expireNow(merchant: string, charge: Charge): void {
    this.books.addReversal(merchant, charge.id);
    this.tell(merchant, 'charge.expired', chargeData(charge));
  }

  private tell(merchant: string, event: CulqiEvent, data: Record<string, unknown>): void {
    const { webhookData, webhookAuth } = this.settings.current();
    const auth = Object.entries(webhookAuth).find(([name]) => isMerchant(merchant, name))?.[1];
    const headers: Record<string, string> = auth === undefined ? {} : { authorization: `Basic ${Buffer.from(auth).toString('base64')}` };
    this.webhooks.send({ merchant, event, headers, body: eventBody(event, data, merchant.split('_')[0] ?? 'test', this.nowMs(), webhookData) });
  }

  /** The charge as it stands now: what nobody captured in time is let go of. */
  private chargeNow(merchant: string, id: string): Charge | null {
    const charge = this.books.charge(merchant, id);
    if (charge?.capture === false && charge.current_amount > 0 && this.nowMs() >= charge.creation_date + RESERVED_MS) this.expireNow(merchant, charge);
    return charge;
  }

  private visibleCharges(key: Key): Charge[] {
    return this.books.chargesOf(key.merchant).map(({ id }) => this.chargeNow(key.merchant, id)).filter((charge): charge is Charge => charge !== null && this.isVisible(charge));
  }

  /** A look-up lags behind the booking by as much as the settings say. */
  private isVisible(charge: Charge): boolean {
    return charge.creation_date + this.settings.current().lookupLagMs <= this.nowMs();
  }

  private apiHeaders(key: Key | null): Record<string, string> {
    this.trackingId += 1;
    return { 'x-culqi-tracking-id': String(this.trackingId), 'x-culqi-version': '2.0.0', ...(key && { 'x-culqi-environment': key.environment }) };
  }
}

function kindIn(route: string): 'customers' | 'cards' {
  return route.includes('/v2/cards') ? 'cards' : 'customers';
}

function withJsonBody(call: Call, then: (body: JsonObject) => Answer): Answer {
  let body: unknown;
  try {
    body = JSON.parse(call.body.toString('utf8'));
  } catch {
    return badRequest('El cuerpo no es JSON válido.');
  }
  return isObject(body) ? then(body) : badRequest('El cuerpo no es un objeto JSON.');
}
