import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { RateLimits } from '../platform/rate-limit/rate-limits.js';
import { Problem } from '../shared/problem.js';
import { ACCESS, type Access, type AuthenticatedRequest } from './access.decorator.js';
import { ApiKeys } from './api-keys.js';
import type { Caller } from './caller.js';
import { PlatformAdminKey } from './platform-admin-key.js';
import { includesRole } from './role.js';

/** Finds out who asks, how often they did, and whether they may. Routes that do not say who may use them are closed. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly apiKeys: ApiKeys,
    private readonly platformAdminKey: PlatformAdminKey,
    private readonly rateLimits: RateLimits,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [context.getHandler(), context.getClass()]);
    if (access === 'public') return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const caller = await this.identify(request, context.switchToHttp().getResponse<FastifyReply>());
    if (caller === 'platform') {
      if (access === 'platform' || access === 'tenant_administration') return true;
      throw new Problem('forbidden', 'The platform key opens /v1/admin only.');
    }
    this.check(caller, access, request);
    request.caller = caller;
    return true;
  }

  /** A key's own requests are counted; those without a good one by address. So who guesses keys from behind the same proxy takes nobody's share. */
  private async identify(request: AuthenticatedRequest, reply: FastifyReply): Promise<Caller | 'platform'> {
    const key = bearerKey(request.headers.authorization);
    if (key !== undefined && this.platformAdminKey.matches(key)) {
      await this.rateLimits.countPlatform(reply);
      return 'platform';
    }
    const caller = key === undefined ? null : await this.apiKeys.callerOf(key);
    if (caller === null) {
      await this.rateLimits.countAddress(reply, request.ip);
      throw new Problem('unauthorized', key === undefined ? 'Send a key as Authorization: Bearer sk_…' : 'The key is not known.');
    }
    await this.rateLimits.countKey(reply, caller);
    return caller;
  }

  private check(caller: Caller, access: Access | undefined, request: AuthenticatedRequest): void {
    if (access === undefined || access === 'platform') throw new Problem('forbidden', 'This key may not do that.');
    if (access === 'tenant_administration') {
      const { tenantId } = request.params as { tenantId?: string };
      if (!includesRole(caller.role, 'admin')) throw new Problem('forbidden', 'This needs a key of role admin.');
      // Another's tenant is as unknown as one that does not exist (invariant I15).
      if (tenantId !== caller.tenantId) throw new Problem('not_found', 'There is no such tenant.');
    } else if (access !== 'public' && !includesRole(caller.role, access)) {
      throw new Problem('forbidden', `This needs a key of role ${access}.`);
    }
  }
}

/** RFC 6750 §2.1. */
function bearerKey(header: string | undefined): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,255})$/i.exec(header ?? '')?.[1];
}
