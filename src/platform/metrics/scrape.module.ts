import { Inject, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { Database } from '../database/database.js';
import { collectProcess } from './collect.js';
import { Metrics } from './metrics.js';
import { MetricsController } from './metrics.controller.js';
import { measureRequests } from './request-duration.js';

const JOB_KINDS = Symbol('string[]');

/** `/metrics`, and what is measured only where somebody can ask for it. */
@Module({})
export class ScrapeModule implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly metrics: Metrics,
    @Inject(Database) private readonly database: Database,
    @Inject(JOB_KINDS) private readonly jobKinds: readonly string[],
  ) {}

  /** `jobKinds`: the jobs that are shown by their kind. */
  static forRoot({ jobKinds }: { jobKinds: readonly string[] }): DynamicModule {
    return { module: ScrapeModule, controllers: [MetricsController], providers: [{ provide: JOB_KINDS, useValue: jobKinds }] };
  }

  onModuleInit(): void {
    collectProcess(this.metrics, this.database, this.jobKinds);
    measureRequests(this.adapterHost.httpAdapter.getInstance<FastifyInstance>(), this.metrics);
  }
}
