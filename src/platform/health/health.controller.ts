import { Controller, Get, Inject, Res, SetMetadata, type OnModuleDestroy } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Problems } from '../http/problems.decorator.js';
import { LivenessDto, ReadinessDto } from './health.dto.js';
import { readinessOf, type ReadinessCheck } from './readiness.js';

export const READINESS_CHECKS = Symbol('ReadinessCheck[]');

/** For those who keep the service running. Needs no key: the name is that of tenants/access.decorator.ts, which the platform may not import. */
@ApiTags('Health')
@Controller('health')
@SetMetadata('access', 'public')
@Problems('card_data_not_accepted')
export class HealthController implements OnModuleDestroy {
  private stopping = false;

  constructor(@Inject(READINESS_CHECKS) private readonly checks: readonly ReadinessCheck[]) {}

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

  /** The first thing that happens when the process is told to stop. */
  onModuleDestroy(): void {
    this.stopping = true;
  }
}
