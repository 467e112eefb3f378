import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import type { FastifyReply } from 'fastify';
import type { Counter } from 'prom-client';
import { Problem } from '../../shared/problem.js';
import type { Metrics } from '../metrics/metrics.js';

/** Whose requests are counted together. */
export const RATE_LIMIT_POLICIES = ['key', 'tenant', 'address'] as const;
export type RateLimitPolicy = (typeof RATE_LIMIT_POLICIES)[number];

export const WINDOW_SECONDS = 60;
/** All keys of one tenant together may send so many times what one key may: making keys is no way around the limit, nor to crowd others out. */
export const TENANT_SHARE = 5;

/** One counter for each policy; a function, so that what counts (this process, Redis) is given. */
export type RateLimitStore = (policy: RateLimitPolicy, limit: number) => RateLimiterAbstract;

/** How many requests a minute are answered: to each key, to each tenant, and to each address that shows no key. Over it: `rate_limited`. */
export class RateLimits {
  private readonly limits: Readonly<Record<RateLimitPolicy, number>>;
  private readonly limiters: Readonly<Record<RateLimitPolicy, RateLimiterAbstract>>;
  private readonly refused: Counter<'policy'>;

  /** `limitPerMinute` is that of one key; 0 counts nothing. */
  constructor(private readonly limitPerMinute: number, store: RateLimitStore, metrics: Metrics) {
    this.limits = { key: limitPerMinute, tenant: limitPerMinute * TENANT_SHARE, address: limitPerMinute };
    this.limiters = { key: store('key', this.limits.key), tenant: store('tenant', this.limits.tenant), address: store('address', this.limits.address) };
    this.refused = metrics.counter({ name: 'smartpay_rate_limited_total', help: 'Requests refused because there were too many.', labelNames: ['policy'] });
    for (const policy of RATE_LIMIT_POLICIES) this.refused.inc({ policy }, 0); // so that the first refusal shows as an increase
  }

  /** Counts a request of a tenant's key. @throws Problem `rate_limited` */
  async countKey(reply: FastifyReply, { keyId, tenantId }: { keyId: string; tenantId: string }): Promise<void> {
    await this.count(reply, 'key', keyId); // first: one key that floods leaves the tenant's others their share
    await this.count(reply, 'tenant', tenantId);
  }

  /** Counts a request with the platform's key. @throws Problem `rate_limited` */
  async countPlatform(reply: FastifyReply): Promise<void> {
    await this.count(reply, 'key', 'platform');
  }

  /** Counts a request without a key, or with one that nobody holds. @throws Problem `rate_limited` */
  async countAddress(reply: FastifyReply, address: string): Promise<void> {
    await this.count(reply, 'address', bucketOf(address));
  }

  private async count(reply: FastifyReply, policy: RateLimitPolicy, subject: string): Promise<void> {
    if (this.limitPerMinute === 0) return;
    const state = await this.limiters[policy].consume(subject).catch((refusal: unknown) => {
      if (refusal instanceof RateLimiterRes) return refusal;
      throw refusal;
    });
    const limit = this.limits[policy];
    const resetSeconds = Math.max(1, Math.ceil(state.msBeforeNext / 1000));
    announce(reply, policy, { limit, remaining: Math.max(0, limit - state.consumedPoints), resetSeconds });
    if (state.consumedPoints <= limit) return;
    this.refused.inc({ policy });
    throw new Problem('rate_limited', `More than ${limit} requests a minute; ask again in ${resetSeconds} s.`, { retryAfterSeconds: resetSeconds });
  }
}

/** Fields of draft-ietf-httpapi-ratelimit-headers-10: what may be sent, and what is left of it. */
function announce(reply: FastifyReply, policy: RateLimitPolicy, { limit, remaining, resetSeconds }: { limit: number; remaining: number; resetSeconds: number }): void {
  const add = (name: string, item: string): void => {
    const before = reply.getHeader(name);
    void reply.header(name, typeof before === 'string' ? `${before}, ${item}` : item);
  };
  add('ratelimit-policy', `"${policy}";q=${limit};w=${WINDOW_SECONDS}`);
  add('ratelimit', `"${policy}";r=${remaining};t=${resetSeconds}`);
}

/**
 * One of 65 536 buckets: whoever has many addresses cannot make us remember each of them, and no address is kept anywhere.
 * Who has an IPv6 address has 2⁶⁴ of them, so its network counts.
 */
function bucketOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  return createHash('sha256').update(isIPv6(plain) ? network64(plain) : plain).digest('hex').slice(0, 4);
}

/** The first four groups of an IPv6 address. */
function network64(address: string): string {
  const [head = '', tail] = address.toLowerCase().split('%', 1)[0]!.split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : Math.max(0, 8 - groups.length - rest.length);
  return [...groups, ...Array<string>(missing).fill('0'), ...rest].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, '')).join(':');
}
