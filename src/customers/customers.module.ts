import { Module } from '@nestjs/common';
import type { Env } from '../config/env.js';
import { GatewayRegistry } from '../gateways/gateway-registry.js';
import { SecretBox } from '../platform/crypto/secret-box.js';
import { Database } from '../platform/database/database.js';
import { AuditTrail } from '../platform/audit/audit-trail.js';
import { JobQueue } from '../platform/jobs/job-queue.js';
import { CLOCK, ENV } from '../platform/tokens.js';
import type { Clock } from '../shared/clock.js';
import { GatewayAccounts } from '../tenants/gateway-accounts.js';
import { TenantsModule } from '../tenants/tenants.module.js';
import { CustomersController } from './customers.controller.js';
import { Customers } from './customers.js';
import { CustomerErasure } from './customer-erasure.js';
import { AllSavedMethodsController, SavedMethodsController } from './saved-methods.controller.js';
import { SavedMethods } from './saved-methods.js';

/** Customers who come back, and the cards that PSPs keep for them. */
@Module({
  imports: [TenantsModule],
  controllers: [CustomersController, SavedMethodsController, AllSavedMethodsController],
  providers: [
    { provide: Customers, inject: [Database, CLOCK], useFactory: (database: Database, clock: Clock) => new Customers(database, clock) },
    {
      provide: SavedMethods, inject: [Database, Customers, GatewayAccounts, GatewayRegistry, SecretBox, CLOCK, ENV],
      useFactory: (database: Database, customers: Customers, accounts: GatewayAccounts, registry: GatewayRegistry, box: SecretBox, clock: Clock, env: Env) =>
        new SavedMethods(database, customers, accounts, registry, box, clock, env.gatewayTimeoutMs),
    },
    {
      provide: CustomerErasure, inject: [Database, SavedMethods, AuditTrail, JobQueue, CLOCK, ENV],
      useFactory: (database: Database, savedMethods: SavedMethods, audit: AuditTrail, jobs: JobQueue, clock: Clock, env: Env) =>
        new CustomerErasure(database, savedMethods, audit, jobs, clock, env.idempotencyLeaseMs),
    },
  ],
  exports: [Customers, SavedMethods],
})
export class CustomersModule {}
