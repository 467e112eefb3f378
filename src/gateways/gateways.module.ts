import { Global, Inject, Logger, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import type { Metrics } from '../platform/metrics/metrics.js';
import { createHttpTransport, type HttpTransport } from './contract/http.js';
import { GatewayRegistry, type GatewayCall } from './gateway-registry.js';
import { GATEWAY_CODES } from './gateways.js';

const TRANSPORT = Symbol('HttpTransport');

/** From a refusal at the door to the longest GATEWAY_TIMEOUT_MS that makes sense. */
const BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 15, 20, 30, 60];

/** The way to the PSPs. */
@Global()
@Module({})
export class GatewaysModule implements OnApplicationShutdown {
  constructor(@Inject(TRANSPORT) private readonly transport: HttpTransport) {}

  /** `hosts`: base addresses by the environment variable that holds them. */
  static forRoot({ hosts, metrics }: { hosts: Readonly<Record<string, URL>>; metrics: Metrics }): DynamicModule {
    const transport = createHttpTransport();
    const logger = new Logger('Gateway');
    const duration = callDuration(metrics);
    const observe = (call: GatewayCall): void => {
      duration.observe({ gateway: call.gateway, verb: call.verb, outcome: call.outcome }, call.latencyMs / 1000);
      if (call.outcome === 'answered') logger.log({ ...call, msg: 'gateway call' });
      else logger.warn({ ...call, alert: call.outcome === 'credentials_rejected', msg: 'gateway call' });
    };
    return {
      module: GatewaysModule,
      providers: [
        { provide: TRANSPORT, useValue: transport },
        { provide: GatewayRegistry, useValue: new GatewayRegistry({ hosts, send: transport.send, now: () => new Date(), observe }) },
      ],
      exports: [GatewayRegistry],
    };
  }

  onApplicationShutdown(): void {
    this.transport.close();
  }
}

function callDuration(metrics: Metrics) {
  const duration = metrics.histogram({
    name: 'smartpay_gateway_call_duration_seconds', help: 'Calls of PSPs that are over: answered, or the kind of trouble (contract/gateway-error.ts). Only after outcome_unknown may money have moved.',
    labelNames: ['gateway', 'verb', 'outcome'], buckets: BUCKETS_SECONDS,
  });
  // Shown before the first of them happens: the step from nothing to one is no increase to Prometheus.
  for (const gateway of GATEWAY_CODES) duration.zero({ gateway, verb: 'createPayment', outcome: 'outcome_unknown' });
  return duration;
}
