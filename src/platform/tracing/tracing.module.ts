import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import type { Env } from '../../config/env.js';
import { startTracing } from './tracing.js';

const END_TRACING = Symbol('() => Promise<void>');

/** Traces of requests, jobs, PSP calls and statements, where OTEL_EXPORTER_OTLP_ENDPOINT names a collector; nothing otherwise. */
@Module({})
export class TracingModule implements OnApplicationShutdown {
  constructor(@Inject(END_TRACING) private readonly endTracing: () => Promise<void>) {}

  static forRoot({ traceEndpoint, traceShare }: Pick<Env, 'traceEndpoint' | 'traceShare'>, processName: string): DynamicModule {
    const end = traceEndpoint === undefined ? () => Promise.resolve() : startTracing(traceEndpoint, { traceShare, processName });
    return { module: TracingModule, providers: [{ provide: END_TRACING, useValue: end }] };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.endTracing();
  }
}
