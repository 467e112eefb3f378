import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { Env } from '../config/env.js';
import { AuditTrail } from '../platform/audit/audit-trail.js';
import { SecretBox } from '../platform/crypto/secret-box.js';
import { Database } from '../platform/database/database.js';
import { CLOCK, ENV } from '../platform/tokens.js';
import type { Clock } from '../shared/clock.js';
import { AccessGuard } from './access.guard.js';
import { AuditController } from './audit.controller.js';
import { ApiKeys } from './api-keys.js';
import { GatewayAccountChanges } from './gateway-account-changes.js';
import { GatewayAccounts } from './gateway-accounts.js';
import { PlatformAdminKey } from './platform-admin-key.js';
import { TenantsController } from './tenants.controller.js';
import { Tenants } from './tenants.js';

/** Merchants, their keys and PSP accounts; and the guard that finds out who asks. */
@Module({
  controllers: [TenantsController, AuditController],
  providers: [
    { provide: Tenants, inject: [Database, AuditTrail, CLOCK], useFactory: (database: Database, audit: AuditTrail, clock: Clock) => new Tenants(database, audit, clock) },
    { provide: ApiKeys, inject: [Database, AuditTrail, CLOCK], useFactory: (database: Database, audit: AuditTrail, clock: Clock) => new ApiKeys(database, audit, clock) },
    { provide: GatewayAccounts, inject: [SecretBox], useFactory: (box: SecretBox) => new GatewayAccounts(box) },
    {
      provide: GatewayAccountChanges, inject: [Database, GatewayAccounts, AuditTrail, CLOCK],
      useFactory: (database: Database, accounts: GatewayAccounts, audit: AuditTrail, clock: Clock) => new GatewayAccountChanges(database, accounts, audit, clock),
    },
    { provide: PlatformAdminKey, inject: [ENV], useFactory: (env: Env) => new PlatformAdminKey(env.platformAdminKey) },
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
  exports: [GatewayAccounts],
})
export class TenantsModule {}
