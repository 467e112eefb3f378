import { SpanKind } from '@opentelemetry/api';
import { inSpan } from '../platform/tracing/span.js';
import type { TimeWindow } from '../shared/clock.js';
import type { GatewayDefinition } from './contract/gateway-definition.js';
import { GatewayError, type GatewayErrorKind } from './contract/gateway-error.js';
import { type PaymentGateway, type SendHttp } from './contract/payment-gateway.js';
import { gatewayDefinition } from './gateways.js';

/** One call of one verb of a gateway, when it is over. */
export type GatewayCall = { gateway: string; verb: string; latencyMs: number; outcome: 'answered' | GatewayErrorKind | 'failed' };

export type RegistryOptions = { hosts: Readonly<Record<string, URL>>; send: SendHttp; now: () => Date; observe: (call: GatewayCall) => void };

export type OpenedAccount = { credentials: Record<string, string | undefined>; environment: 'sandbox' | 'production'; settings: Readonly<Record<string, unknown>>; window: TimeWindow };

/** Opens adapters: one for each call or few calls, with the tenant's own credentials, so that no two tenants ever share one. */
export class GatewayRegistry {
  constructor(private readonly options: RegistryOptions) {}

  /** Opens the gateway `code`; all its calls begin and end within `window`. */
  open(code: string, { credentials, environment, settings, window }: OpenedAccount): PaymentGateway {
    const definition = gatewayDefinition(code);
    const { send, now } = this.options;
    const gateway = definition.create({ credentials, environment, settings, hosts: this.hostsOf(definition.hosts), send, window, now });
    return this.observed(code, gateway);
  }

  private hostsOf(hosts: GatewayDefinition['hosts']): Record<string, URL> {
    return Object.fromEntries(Object.entries(hosts).map(([name, host]) => {
      const variable = typeof host === 'string' ? host : host.variable;
      const url = this.options.hosts[variable] ?? (typeof host === 'string' ? undefined : new URL(host.url));
      if (url === undefined) throw new RangeError(`${variable} is not set`);
      return [name, url];
    }));
  }

  /** The one wrapper: every verb that is present is timed and reported; one that is absent stays absent. */
  private observed(code: string, gateway: PaymentGateway): PaymentGateway {
    return new Proxy(gateway, {
      get: (target, verb: string) => {
        const method: unknown = Reflect.get(target, verb);
        if (typeof method !== 'function') return method;
        return async (...given: unknown[]): Promise<unknown> => {
          const startedMs = performance.now();
          const report = (outcome: GatewayCall['outcome']): void => { this.options.observe({ gateway: code, verb, latencyMs: Math.round(performance.now() - startedMs), outcome }); };
          try {
            const span = { name: `${code} ${verb}`, kind: SpanKind.CLIENT, attributes: { 'smartpay.gateway': code, 'smartpay.verb': verb } };
            const answer: unknown = await inSpan(span, () => Reflect.apply(method, target, given) as Promise<unknown>);
            report('answered');
            return answer;
          } catch (error) {
            report(error instanceof GatewayError ? error.kind : 'failed');
            throw error;
          }
        };
      },
    });
  }
}
