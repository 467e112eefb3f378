import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Problem } from '../shared/problem.js';
import { ACCESS, type Access, type AuthenticatedRequest } from './access.decorator.js';
import { ApiKeys } from './api-keys.js';
import type { Caller } from './caller.js';
import { PlatformAdminKey } from './platform-admin-key.js';
import { includesRole } from './role.js';

/** Finds out who asks and whether they may. Routes that do not say who may use them are closed. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(private readonly reflector: Reflector, private readonly apiKeys: ApiKeys, private readonly platformAdminKey: PlatformAdminKey) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [context.getHandler(), context.getClass()]);
    if (access === 'public') return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const key = bearerKey(request.headers.authorization);

    if (this.platformAdminKey.matches(key)) {
      if (access === 'platform' || access === 'tenant_administration') return true;
      throw new Problem('forbidden', 'The platform key opens /v1/admin only.');
    }
    const caller = await this.apiKeys.callerOf(key);
    if (caller === null) throw new Problem('unauthorized', 'The key is not known.');
    this.check(caller, access, request);
    request.caller = caller;
    return true;
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

/** @throws Problem `unauthorized` when the header is missing or is not a bearer key (RFC 6750 §2.1). */
function bearerKey(header: string | undefined): string {
  const key = /^Bearer ([\x21-\x7e]{1,255})$/i.exec(header ?? '')?.[1];
  if (key === undefined) throw new Problem('unauthorized', 'Send a key as Authorization: Bearer sk_…');
  return key;
}
