import { GatewayError } from '../../../src/gateways/contract/gateway-error.js';
import type { GatewayContext } from '../../../src/gateways/contract/payment-gateway.js';

export type ToyAnswer = { status: number; body: unknown };

/** Toy's payments over HTTP. */
export class ToyClient {
  constructor(private readonly context: GatewayContext<{ secretKey: string }>) {}

  pay(payment: Record<string, unknown>): Promise<ToyAnswer> {
    return this.send('POST', '/pay', JSON.stringify(payment));
  }

  /** `reference` must have the form of one. */
  get(reference: string): Promise<ToyAnswer> {
    return this.send('GET', `/pay/${reference}`);
  }

  private async send(method: 'GET' | 'POST', path: string, body?: string): Promise<ToyAnswer> {
    const base = this.context.hosts.api;
    if (base === undefined) throw new GatewayError('not_contacted', 'no host is configured');
    const headers = { 'x-toy-key': this.context.credentials.secretKey, 'content-type': 'application/json' };
    const answer = await this.context.send({ method, url: new URL(path, base), headers, ...(body === undefined ? {} : { body }) }, this.context.window);
    return { status: answer.status, body: parsed(answer.body) };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
