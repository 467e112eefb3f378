import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import { WINDOW_SECONDS, type RateLimitStore } from './rate-limits.js';

/** A request waits so long for Redis, and no longer; then its own process counts. */
const ANSWER_MS_MAX = 100;
const RECONNECT_MS_MAX = 5_000;

/** Counts in this process: with n instances a key may send up to n times the limit. */
export const countInProcess: RateLimitStore = (policy, limit) => new RateLimiterMemory({ keyPrefix: policy, points: limit, duration: WINDOW_SECONDS });

/** Counts in Redis, for all instances together; while it does not answer each process counts by itself, so that requests are neither lost nor unlimited. */
export class RedisCounts {
  private readonly logger = new Logger(RedisCounts.name);
  private readonly redis: Redis;
  private answers = true;

  constructor(url: string) {
    this.redis = new Redis(url, {
      lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0, connectTimeout: 2_000, commandTimeout: ANSWER_MS_MAX,
      retryStrategy: (attempt) => Math.min(attempt * 200, RECONNECT_MS_MAX),
    });
    this.redis.on('error', (error: Error) => { this.tell(false, error); });
    this.redis.on('ready', () => { this.tell(true); });
  }

  readonly store: RateLimitStore = (policy, limit) => {
    if (this.redis.status === 'wait') this.redis.connect().catch(() => undefined); // it goes on trying, and says so by `error`
    return new RateLimiterRedis({
      storeClient: this.redis, keyPrefix: `smartpay:${policy}`, points: limit, duration: WINDOW_SECONDS,
      rejectIfRedisNotReady: true, insuranceLimiter: countInProcess(policy, limit),
    });
  };

  close(): void {
    this.redis.disconnect();
  }

  /** Once when it goes and once when it comes back. */
  private tell(answers: boolean, error?: Error): void {
    if (this.answers === answers) return;
    this.answers = answers;
    if (answers) this.logger.log('Redis counts requests again');
    else this.logger.warn({ msg: 'Redis does not answer: each process counts requests by itself', code: (error as NodeJS.ErrnoException).code });
  }
}
