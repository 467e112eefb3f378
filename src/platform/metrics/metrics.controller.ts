import { Controller, Get, Res, SetMetadata } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Metrics } from './metrics.js';

/** For Prometheus, and no part of the API that clients see. Needs no key, as health/health.controller.ts. */
@ApiExcludeController()
@Controller('metrics')
@SetMetadata('access', 'public')
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  /** Everything that is measured, within about a second also while the database is down. */
  @Get()
  async metricsNow(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const { registry } = this.metrics;
    void reply.headers({ 'content-type': registry.contentType, 'cache-control': 'no-store' });
    return registry.metrics();
  }
}
