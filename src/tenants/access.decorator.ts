import { applyDecorators, createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Actor } from '../platform/audit/audit-trail.js';
import { Problems } from '../platform/http/problems.decorator.js';
import type { Caller } from './caller.js';
import type { Role } from './role.js';

/** Who may use a route: nobody needs a key, a tenant's key of at least a role, or whoever administers the tenant that the path names. */
export type Access = 'public' | Role | 'platform' | 'tenant_administration';

export const ACCESS = 'access';

/** Says who may use the routes of a controller or one route. A route without it is closed. */
export function AllowedTo(access: Access): ClassDecorator & MethodDecorator {
  return access === 'public' ? SetMetadata(ACCESS, access) : applyDecorators(SetMetadata(ACCESS, access), ApiBearerAuth(), Problems('unauthorized', 'forbidden', 'rate_limited', 'internal', 'unavailable'));
}

export type AuthenticatedRequest = FastifyRequest & { caller?: Caller };

/** Who asks on a route of /v1/admin, for the audit trail: a tenant's key by its id, or the platform. */
export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext): Actor =>
  context.switchToHttp().getRequest<AuthenticatedRequest>().caller?.keyId ?? 'platform');

/** The tenant's key that asks. Only on routes for tenants' keys. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (caller === undefined) throw new Error('a route without a caller asked for it');
  return caller;
});
