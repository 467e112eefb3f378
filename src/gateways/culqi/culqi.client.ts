import { EventEmitter } from 'node:events';
import type https from 'node:https';
import Culqi from 'culqi-node';
import { GatewayError } from '../contract/gateway-error.js';
import type { GatewayContext, HttpAnswer } from '../contract/payment-gateway.js';

/** What Culqi answered: the status, which its SDK hides, and the parsed body; undefined when that is no JSON. */
export type CulqiAnswer = { status: number; headers: HttpAnswer['headers']; body: unknown };

export type CulqiCredentials = { publicKey: string; secretKey: string; webhookUser?: string | undefined; webhookPassword?: string | undefined };

/** Never sent: the SDK keeps its key for the whole process, so ours goes into each call's own header (psp/culqi.md §1.17, defect 2). */
const UNUSED_KEY = 'sk_unused';

type SdkOptions = { headers: Record<string, string>; _httpProvider: typeof https };

/**
 * Culqi's charges over HTTP. The SDK builds the request; our transport sends it, so that none of the SDK's own HTTP faults is met:
 * lengths in characters, no errors, no deadline, no status.
 */
export class CulqiClient {
  private readonly sdk = new Culqi({ privateKey: UNUSED_KEY });

  constructor(private readonly context: GatewayContext<CulqiCredentials>) {}

  createCharge(charge: Record<string, unknown>): Promise<CulqiAnswer> {
    // The SDK's type knows fewer fields than the API (defect 14).
    return this.call((options) => this.sdk.charges.createCharge(charge as never, options));
  }

  /** `id` must have the form of a charge id: the SDK does not encode it (defect 11). */
  getCharge(id: string): Promise<CulqiAnswer> {
    return this.call((options) => this.sdk.charges.getCharge({ id }, options));
  }

  /** `id` must have the form of a charge id (defect 11). The SDK would repeat it in the body (defect 12). */
  captureCharge(id: string): Promise<CulqiAnswer> {
    return this.call((options) => this.sdk.charges.captureCharge({ id }, options), '{}');
  }

  createRefund(refund: { amount: number; charge_id: string; reason: string }): Promise<CulqiAnswer> {
    return this.call((options) => this.sdk.refunds.createRefund(refund, options));
  }

  listRefunds(filter: Record<string, string>): Promise<CulqiAnswer> {
    return this.call((options) => this.sdk.refunds.getRefunds(filter, options));
  }

  createCustomer(customer: Record<string, string>): Promise<CulqiAnswer> {
    return this.call((options) => this.sdk.customers.createCustomer(customer as never, options));
  }

  listCustomers(filter: Record<string, string>): Promise<CulqiAnswer> {
    return this.call((options) => this.sdk.customers.getCustomers(filter, options));
  }

  /** `id` must have the form of a customer id (defect 11). */
  getCustomer(id: string): Promise<CulqiAnswer> {
    return this.call((options) => this.sdk.customers.getCustomer({ id }, options));
  }

  /** `id` must have the form of a customer id (defect 11). */
  deleteCustomer(id: string): Promise<CulqiAnswer> {
    return this.call((options) => this.sdk.customers.deleteCustomer({ id }, options));
  }

  createCard(card: { customer_id: string; token_id: string }): Promise<CulqiAnswer> {
    return this.call((options) => this.sdk.cards.createCard(card, options));
  }

  /** `id` must have the form of a card id (defect 11). */
  deleteCard(id: string): Promise<CulqiAnswer> {
    return this.call((options) => this.sdk.cards.deleteCard({ id }, options));
  }

  listCharges(filter: Record<string, string>): Promise<CulqiAnswer> {
    return this.call((options) => this.sdk.charges.getCharges(filter, options));
  }

  /** `body` is sent instead of what the SDK would send. */
  private async call(through: (options: SdkOptions) => Promise<unknown>, body?: string): Promise<CulqiAnswer> {
    const provider = new TransportProvider(this.context, body);
    const headers = { Authorization: `Bearer ${this.context.credentials.secretKey}` };
    // What the SDK makes of the answer is not used: it loses the status, and it never settles when the connection fails (defects 4, 5, 8, 9).
    through({ headers, _httpProvider: provider as unknown as typeof https }).catch((error: unknown) => { provider.givenUp(error); });
    const answer = await provider.answered;
    return { status: answer.status, headers: answer.headers, body: parsed(answer.body) };
  }
}

/** Takes the place of node:https inside the SDK, for one call. */
class TransportProvider {
  private settle!: { resolve: (answer: HttpAnswer) => void; reject: (error: unknown) => void };
  readonly answered = new Promise<HttpAnswer>((resolve, reject) => { this.settle = { resolve, reject }; });

  private wasAsked = false;

  constructor(private readonly context: GatewayContext<CulqiCredentials>, private readonly body?: string) {}

  /** The SDK failed: where it did so before it asked for anything, nothing went out. */
  givenUp(cause: unknown): void {
    if (!this.wasAsked) this.settle.reject(new GatewayError('not_contacted', 'the SDK asked for nothing', { cause }));
  }

  request(options: { path: string; method: 'GET' | 'POST' | 'DELETE'; headers: Record<string, string | number> }, respond: (response: EventEmitter & { statusCode: number }) => void) {
    let body: string | undefined;
    return {
      write: (chunk: string) => { body = chunk; },
      end: () => {
        this.wasAsked = true;
        this.send(options, this.body ?? body).then((answer) => {
          this.settle.resolve(answer);
          const response = Object.assign(new EventEmitter(), { statusCode: answer.status });
          respond(response);
          response.emit('data', answer.body);
          response.emit('end');
        }).catch((error: unknown) => { this.settle.reject(error); });
      },
    };
  }

  private async send(options: { path: string; method: 'GET' | 'POST' | 'DELETE'; headers: Record<string, string | number> }, body: string | undefined): Promise<HttpAnswer> {
    const base = this.context.hosts.api;
    if (base === undefined) throw new GatewayError('not_contacted', 'no host is configured');
    const headers = { authorization: String(options.headers.Authorization), accept: 'application/json', 'user-agent': 'smartpay' };
    const request = { method: options.method, url: new URL(options.path, base), headers };
    return this.context.send(body === undefined || options.method === 'DELETE' ? request : { ...request, headers: { ...headers, 'content-type': 'application/json' }, body }, this.context.window);
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
