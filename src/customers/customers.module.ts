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
import { CardVaults } from './card-vaults.js';
import { CustomerErasure } from './customer-erasure.js';
import { CustomerForgetting } from './customer-forgetting.js';
import { MethodForgetting } from './method-forgetting.js';
import { AllSavedMethodsController, SavedMethodsController } from './saved-methods.controller.js';
import { SavedMethods } from './saved-methods.js';

/** A job's call of a PSP ends well within the job's lease. */
function jobCallMs(env: Env): number {
  return Math.min(env.gatewayTimeoutMs, env.jobLeaseMs / 2);
}

/** Customers who come back, and the cards that PSPs keep for them. */
@Module({
  imports: [TenantsModule],
  controllers: [CustomersController, SavedMethodsController, AllSavedMethodsController],
  providers: [
    { provide: Customers, inject: [Database, CLOCK], useFactory: (database: Database, clock: Clock) => new Customers(database, clock) },
    {
      provide: CardVaults, inject: [GatewayAccounts, GatewayRegistry, CLOCK],
      useFactory: (accounts: GatewayAccounts, registry: GatewayRegistry, clock: Clock) => new CardVaults(accounts, registry, clock),
    },
    {
      provide: CustomerForgetting, inject: [Database, GatewayAccounts, CardVaults, JobQueue, ENV],
      useFactory: (database: Database, accounts: GatewayAccounts, vaults: CardVaults, jobs: JobQueue, env: Env) => new CustomerForgetting(database, accounts, vaults, jobs, jobCallMs(env)),
    },
    {
      provide: MethodForgetting, inject: [Database, CardVaults, CustomerForgetting, JobQueue, SecretBox, ENV],
      useFactory: (database: Database, vaults: CardVaults, customers: CustomerForgetting, jobs: JobQueue, box: SecretBox, env: Env) =>
        new MethodForgetting(database, vaults, customers, jobs, box, { callMs: env.gatewayTimeoutMs, jobCallMs: jobCallMs(env) }),
    },
    {
      provide: SavedMethods, inject: [Database, Customers, GatewayAccounts, CardVaults, MethodForgetting, SecretBox, CLOCK, ENV],
      useFactory: (database: Database, customers: Customers, accounts: GatewayAccounts, vaults: CardVaults, forgetting: MethodForgetting, box: SecretBox, clock: Clock, env: Env) =>
        new SavedMethods(database, customers, accounts, vaults, forgetting, box, clock, { callMs: env.gatewayTimeoutMs, settleMs: env.idempotencyLeaseMs }),
    },
    {
      provide: CustomerErasure, inject: [Database, GatewayAccounts, MethodForgetting, CustomerForgetting, AuditTrail, JobQueue, CLOCK, ENV],
      useFactory: (database: Database, accounts: GatewayAccounts, methods: MethodForgetting, customers: CustomerForgetting, audit: AuditTrail, jobs: JobQueue, clock: Clock, env: Env) =>
        new CustomerErasure(database, accounts, methods, customers, audit, jobs, clock, env.idempotencyLeaseMs),
    },
  ],
  exports: [Customers, SavedMethods, MethodForgetting, CustomerForgetting],
})
export class CustomersModule {}
