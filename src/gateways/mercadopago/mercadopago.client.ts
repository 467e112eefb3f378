import { AsyncLocalStorage } from 'node:async_hooks';
import { CardToken, Customer, CustomerCard, MercadoPagoConfig, Order, Payment, PaymentRefund } from 'mercadopago';
import { parseExactly } from '../contract/exact-json.js';
import { GatewayError } from '../contract/gateway-error.js';
import type { GatewayContext, HttpAnswer, HttpRequest } from '../contract/payment-gateway.js';

/** What MercadoPago answered: the status, and the body with every number as it stood there; undefined when that is no JSON. */
export type MercadopagoAnswer = { status: number; headers: HttpAnswer['headers']; body: unknown };

export type MercadopagoCredentials = { accessToken: string; publicKey: string; webhookSecret: string };

type Options = { idempotencyKey?: string };

/** Instants in ISO 8601; pages count from 1 (the SDK's types). */
type OrderFilter = { begin_date: string; end_date: string; external_reference?: string; page: number; page_size: number; sort_by: string; sort_order: string };

/**
 * MercadoPago's payments over HTTP. The SDK builds the request; our transport sends it. So none of the SDK's faults is met (psp/mercadopago.md §12): keys
 * that leak from one call into the next, four tries of every POST, a time-out that spares the body, ids that lose their last digits.
 */
export class MercadopagoClient {
  constructor(private readonly context: GatewayContext<MercadopagoCredentials>) {}

  /** `key`: what a repeat is known by. */
  createPayment(payment: Record<string, unknown>, key: string, token: string): Promise<MercadopagoAnswer> {
    return this.call((config) => new Payment(config).create({ body: payment }), { idempotencyKey: key }, [token]);
  }

  getPayment(id: string): Promise<MercadopagoAnswer> {
    return this.call((config) => new Payment(config).get({ id }));
  }

  searchPayments(filter: Record<string, string | number>): Promise<MercadopagoAnswer> {
    return this.call((config) => new Payment(config).search({ options: filter }));
  }

  capturePayment(id: string, key: string): Promise<MercadopagoAnswer> {
    return this.call((config) => new Payment(config).capture({ id }), { idempotencyKey: key });
  }

  cancelPayment(id: string, key: string): Promise<MercadopagoAnswer> {
    return this.call((config) => new Payment(config).cancel({ id }), { idempotencyKey: key });
  }

  /** Without `refund`, all of it. */
  createRefund(id: string, refund: { amount: number } | undefined, key: string): Promise<MercadopagoAnswer> {
    return this.call((config) => (refund === undefined ? new PaymentRefund(config).total({ payment_id: id }) : new PaymentRefund(config).create({ payment_id: id, body: refund })), { idempotencyKey: key });
  }

  listRefunds(id: string): Promise<MercadopagoAnswer> {
    return this.call((config) => new PaymentRefund(config).list({ payment_id: id }));
  }

  createOrder(order: Record<string, unknown>, key: string, token: string): Promise<MercadopagoAnswer> {
    return this.call((config) => new Order(config).create({ body: order }), { idempotencyKey: key }, [token]);
  }

  getOrder(id: string): Promise<MercadopagoAnswer> {
    return this.call((config) => new Order(config).get({ id }));
  }

  searchOrders(filter: OrderFilter): Promise<MercadopagoAnswer> {
    return this.call((config) => new Order(config).search({ options: filter }));
  }

  captureOrder(id: string, key: string): Promise<MercadopagoAnswer> {
    return this.call((config) => new Order(config).capture({ id }), { idempotencyKey: key });
  }

  cancelOrder(id: string, key: string): Promise<MercadopagoAnswer> {
    return this.call((config) => new Order(config).cancel({ id }), { idempotencyKey: key });
  }

  /** Without `refund`, all of it. */
  refundOrder(id: string, refund: { transactions: { id: string; amount: string }[] } | undefined, key: string): Promise<MercadopagoAnswer> {
    return this.call((config) => new Order(config).refund({ id, ...(refund === undefined ? {} : { body: refund }) }), { idempotencyKey: key });
  }

  createCustomer(customer: { email: string; first_name?: string; last_name?: string }): Promise<MercadopagoAnswer> {
    return this.call((config) => new Customer(config).create({ body: customer }));
  }

  searchCustomers(email: string): Promise<MercadopagoAnswer> {
    return this.call((config) => new Customer(config).search({ options: { email } }));
  }

  deleteCustomer(customerId: string): Promise<MercadopagoAnswer> {
    return this.call((config) => new Customer(config).remove({ customerId }));
  }

  listCards(customerId: string): Promise<MercadopagoAnswer> {
    return this.call((config) => new CustomerCard(config).list({ customerId }));
  }

  createCard(customerId: string, token: string): Promise<MercadopagoAnswer> {
    return this.call((config) => new CustomerCard(config).create({ customerId, body: { token } }), {}, [token]);
  }

  deleteCard(customerId: string, cardId: string): Promise<MercadopagoAnswer> {
    return this.call((config) => new CustomerCard(config).remove({ customerId, cardId }));
  }

  /** A token of a kept card, for one payment. */
  createCardToken(customerId: string, cardId: string): Promise<MercadopagoAnswer> {
    return this.call((config) => new CardToken(config).create({ body: { card_id: cardId, customer_id: customerId } }));
  }

  private async call(through: (config: MercadoPagoConfig) => Promise<unknown>, options: Options = {}, secrets: readonly string[] = []): Promise<MercadopagoAnswer> {
    const { accessToken, webhookSecret } = this.context.credentials;
    // A configuration of its own for each call: the SDK writes the options of one call into the next (defect "key leak").
    const config = new MercadoPagoConfig({ accessToken, options: { ...options, maxRetries: 0 } });
    const exchange = new Exchange(this.context);
    // What the SDK makes of the answer is not used: it rounds ids and loses bodies.
    exchanges.run(exchange, () => { void settled(() => through(config)).then(() => { exchange.end(); }); });
    const answer = await exchange.answered;
    return { status: answer.status, headers: answer.headers, body: parseExactly(answer.body, [accessToken, webhookSecret, ...secrets]) };
  }
}

/** Resolves when a call of the SDK's is over, however it ended. */
async function settled(call: () => Promise<unknown>): Promise<void> {
  await Promise.allSettled([Promise.resolve().then(call)]);
}

/** One request of the SDK's and its answer. */
class Exchange {
  private settle!: { resolve: (answer: HttpAnswer) => void; reject: (error: unknown) => void };
  readonly answered = new Promise<HttpAnswer>((resolve, reject) => { this.settle = { resolve, reject }; });
  private wasSent = false;

  constructor(private readonly context: GatewayContext<MercadopagoCredentials>) {}

  /** Stands in for fetch. The SDK gets an empty answer, after which it tries nothing again; the real one goes to our caller. */
  fetch(url: URL, init: RequestInit): Response {
    if (!this.wasSent) {
      this.wasSent = true;
      this.send(url, init).then(this.settle.resolve, this.settle.reject);
    }
    return new Response('{}', { status: 200 });
  }

  /** The SDK is done: what it has not sent by now it never will. */
  end(): void {
    if (!this.wasSent) this.settle.reject(new GatewayError('not_contacted', 'the SDK sent nothing'));
  }

  private async send(url: URL, init: RequestInit): Promise<HttpAnswer> {
    const base = this.context.hosts.api;
    if (base === undefined) throw new GatewayError('not_contacted', 'no host is configured');
    const given = new Headers(init.headers);
    const key = given.get('x-idempotency-key');
    const headers = { authorization: given.get('authorization') ?? '', accept: 'application/json', 'user-agent': 'smartpay', ...(key === null ? {} : { 'x-idempotency-key': key }) };
    const request: HttpRequest = { method: (init.method ?? 'GET') as HttpRequest['method'], url: new URL(url.pathname + url.search, base), headers };
    const body = typeof init.body === 'string' ? init.body : undefined;
    return this.context.send(body === undefined ? request : { ...request, headers: { ...headers, 'content-type': 'application/json' }, body }, this.context.window);
  }
}

/** The exchange on behalf of which the SDK runs. */
const exchanges = new AsyncLocalStorage<Exchange>();
const fetchOfTheProcess = globalThis.fetch;
/** The SDK knows no other way out than the global fetch: within an exchange that is ours, and everywhere else what it was. */
globalThis.fetch = (input, init) => {
  const exchange = exchanges.getStore();
  if (exchange === undefined) return fetchOfTheProcess(input, init);
  return Promise.resolve(exchange.fetch(new URL(input instanceof Request ? input.url : input), init ?? {}));
};
