import { Global, Inject, Logger, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { createHttpTransport, type HttpTransport } from './contract/http.js';
import { GatewayRegistry, type GatewayCall } from './gateway-registry.js';

const TRANSPORT = Symbol('HttpTransport');

/** The way to the PSPs. */
@Global()
@Module({})
export class GatewaysModule implements OnApplicationShutdown {
  constructor(@Inject(TRANSPORT) private readonly transport: HttpTransport) {}

  /** `hosts`: base addresses by the environment variable that holds them. */
  static forRoot({ hosts }: { hosts: Readonly<Record<string, URL>> }): DynamicModule {
    const transport = createHttpTransport();
    const logger = new Logger('Gateway');
    const observe = (call: GatewayCall): void => {
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
