import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Inject, Res, SetMetadata, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Problems } from '../http/problems.decorator.js';
import { LivenessDto, ReadinessDto } from './health.dto.js';
import { readinessOf, type ReadinessCheck } from './readiness.js';

export const READINESS_CHECKS = Symbol('ReadinessCheck[]');
export const DRAIN_MS = Symbol('number');

/** For those who keep the service running. Needs no key: the name is that of tenants/access.decorator.ts, which the platform may not import. */
@ApiTags('Health')
@Controller('health')
@SetMetadata('access', 'public')
@Problems('card_data_not_accepted')
export class HealthController implements OnModuleDestroy {
  private stopping = false;

  constructor(
    @Inject(READINESS_CHECKS) private readonly checks: readonly ReadinessCheck[],
    @Inject(DRAIN_MS) private readonly drainMs: number,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** Whether the process answers at all. */
  @Get('live')
  live(): LivenessDto {
    return { status: 'ok' };
  }

  /** Whether requests should be sent here: 200 or 503, within a second. */
  @Get('ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadinessDto> {
    const readiness: ReadinessDto = this.stopping ? { status: 'unavailable', checks: { process: { status: 'failed', reason: 'shutting down' } } } : await readinessOf(this.checks);
    if (readiness.status !== 'ok') void reply.status(503);
    return readiness;
  }

  /** The first thing that happens when the process is told to stop: balancers are told, and have DRAIN_MS to send elsewhere, while everything that still comes is answered. A worker serves no HTTP: it waits for nobody. */
  async onModuleDestroy(): Promise<void> {
    if (!servesHttp(this.adapterHost)) return;
    this.stopping = true;
    this.adapterHost.httpAdapter.getInstance<FastifyInstance>().isLeaving = true;
    await sleep(this.drainMs);
  }
}

/** Whether this process has an HTTP server: Nest sets no adapter in an application context, whatever its type says. */
function servesHttp({ httpAdapter }: { httpAdapter: HttpAdapterHost['httpAdapter'] | null }): boolean {
  return httpAdapter !== null;
}
