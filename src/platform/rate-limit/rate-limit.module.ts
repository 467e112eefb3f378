import { Global, Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import type { Env } from '../../config/env.js';
import type { Metrics } from '../metrics/metrics.js';
import { countInProcess, RedisCounts } from './rate-limit-store.js';
import { RateLimits } from './rate-limits.js';

const REDIS_COUNTS = Symbol('RedisCounts | null');

/** How many requests are answered, counted in Redis where `REDIS_URL` names one. */
@Global()
@Module({})
export class RateLimitModule implements OnApplicationShutdown {
  constructor(@Inject(REDIS_COUNTS) private readonly redis: RedisCounts | null) {}

  static forRoot({ rateLimitPerMinute, redisUrl }: Pick<Env, 'rateLimitPerMinute' | 'redisUrl'>, metrics: Metrics): DynamicModule {
    const redis = redisUrl === undefined || rateLimitPerMinute === 0 ? null : new RedisCounts(redisUrl);
    return {
      module: RateLimitModule,
      providers: [
        { provide: REDIS_COUNTS, useValue: redis },
        { provide: RateLimits, useValue: new RateLimits(rateLimitPerMinute, redis?.store ?? countInProcess, metrics) },
      ],
      exports: [RateLimits],
    };
  }

  onApplicationShutdown(): void {
    this.redis?.close();
  }
}
