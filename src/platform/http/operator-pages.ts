import { createHash, timingSafeEqual } from 'node:crypto';
import { Inject, Module, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Env } from '../../config/env.js';
import { Problem } from '../../shared/problem.js';
import { RateLimits } from '../rate-limit/rate-limits.js';
import { ENV } from '../tokens.js';

type Page = 'metrics' | 'docs';

/** The pages of those who run the service, /metrics and /docs. They need no API key, so the environment says who may see them. */
@Module({})
export class OperatorPages implements OnModuleInit {
  constructor(@Inject(ENV) private readonly env: Env, private readonly rateLimits: RateLimits, private readonly adapterHost: HttpAdapterHost) {}

  onModuleInit(): void {
    this.adapterHost.httpAdapter.getInstance<FastifyInstance>().addHook('onRequest', (request, reply, done) => {
      const page = pageOf(request);
      if (page === undefined) done();
      else this.admit(page, request, reply).then(() => { done(); }, done);
    });
  }

  private async admit(page: Page, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { demanded, given, scheme } = page === 'metrics'
      ? { demanded: this.env.metricsToken, given: bearerOf(request), scheme: 'Bearer' }
      : { demanded: this.env.docsPassword, given: passwordOf(request), scheme: 'Basic realm="docs", charset="UTF-8"' };
    const isAdmitted = demanded === undefined || (given !== undefined && isSame(given, demanded));
    if (page === 'docs' || !isAdmitted) await this.rateLimits.countAddress(reply, request.ip);
    if (isAdmitted) return;
    void reply.header('www-authenticate', scheme);
    throw new Problem('unauthorized', 'This page asks for a password.');
  }
}

/** By the route that was found, not by the address, which may be written in many ways. */
function pageOf({ routeOptions: { url = '' } }: FastifyRequest): Page | undefined {
  if (url === '/metrics') return 'metrics';
  return /^\/docs(\/|-|$)/.test(url) ? 'docs' : undefined;
}

/** RFC 6750 §2.1. */
export function bearerOf({ headers: { authorization = '' } }: { headers: { authorization?: string | undefined } }): string | undefined {
  return /^Bearer (\S+)$/i.exec(authorization)?.[1];
}

/** RFC 7617; the user name is not looked at. */
function passwordOf({ headers: { authorization = '' } }: FastifyRequest): string | undefined {
  const pair = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(authorization)?.[1];
  return pair === undefined ? undefined : /^[^:]*:(.*)$/s.exec(Buffer.from(pair, 'base64').toString('utf8'))?.[1];
}

/** Compared in constant time. */
export function isSame(given: string, demanded: string): boolean {
  const [left, right] = [given, demanded].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(left, right);
}
