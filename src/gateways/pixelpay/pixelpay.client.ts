import { GatewayError } from '../contract/gateway-error.js';
import type { GatewayContext, HttpAnswer, HttpRequest } from '../contract/payment-gateway.js';
import { parseExactly } from '../contract/exact-json.js';
import { ourId, transactionId } from './pixelpay.types.js';

/** What PixelPay answered: the status and the parsed body, without secrets; undefined when that is no JSON. */
export type PixelpayAnswer = { status: number; body: unknown };

export type PixelpayCredentials = { apiKey: string; publicKey: string; webhookSecret: string };

const HEADERS = { accept: 'application/json', 'user-agent': 'smartpay' };

/** PixelPay's payments over HTTP. The key goes in the body of a POST and in a header of a GET; it comes back in nothing that this class returns. */
export class PixelpayClient {
  constructor(private readonly context: GatewayContext<PixelpayCredentials>) {}

  /** `token` is the card's, which an answer must not show either. */
  createPayment(payment: Record<string, unknown>, token: string): Promise<PixelpayAnswer> {
    return this.post('/v2/payments', payment, [token]);
  }

  getPayment(id: string): Promise<PixelpayAnswer> {
    return this.get(`/v2/payments/${transactionIn(id)}`);
  }

  findPayment(orderId: string): Promise<PixelpayAnswer> {
    return this.get('/v2/payments', { order_id: checkedOurs(orderId) });
  }

  createRefund(id: string, refund: Record<string, unknown>): Promise<PixelpayAnswer> {
    return this.post(`/v2/payments/${transactionIn(id)}/refunds`, refund);
  }

  getRefund(id: string, refundId: string): Promise<PixelpayAnswer> {
    return this.get(`/v2/payments/${transactionIn(id)}/refunds/${encodeURIComponent(checkedOurs(refundId))}`);
  }

  private post(path: string, body: Record<string, unknown>, secrets: readonly string[] = []): Promise<PixelpayAnswer> {
    const text = JSON.stringify({ api_key: this.context.credentials.apiKey, ...body });
    return this.send({ method: 'POST', url: this.urlOf(path), headers: { ...HEADERS, 'content-type': 'application/json' }, body: text }, secrets);
  }

  private get(path: string, query: Record<string, string> = {}): Promise<PixelpayAnswer> {
    const url = this.urlOf(path);
    url.search = new URLSearchParams(query).toString();
    return this.send({ method: 'GET', url, headers: { ...HEADERS, 'x-api-key': this.context.credentials.apiKey } }, []);
  }

  private urlOf(path: string): URL {
    const base = this.context.hosts.api;
    if (base === undefined) throw new GatewayError('not_contacted', 'no host is configured');
    return new URL(path, base);
  }

  private async send(request: HttpRequest, secrets: readonly string[]): Promise<PixelpayAnswer> {
    const { apiKey, webhookSecret } = this.context.credentials;
    const answer: HttpAnswer = await this.context.send(request, this.context.window);
    return { status: answer.status, body: parseExactly(answer.body, [apiKey, webhookSecret, ...secrets]) };
  }
}

function transactionIn(id: string): string {
  if (!transactionId.safeParse(id).success) throw new GatewayError('request_rejected', 'this is no transaction id of PixelPay');
  return encodeURIComponent(id);
}

function checkedOurs(id: string): string {
  if (!ourId.safeParse(id).success) throw new GatewayError('request_rejected', 'this is no id of ours');
  return id;
}
