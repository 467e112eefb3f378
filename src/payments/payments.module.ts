import { Module, type FactoryProvider } from '@nestjs/common';
import type { Env } from '../config/env.js';
import { GatewayRegistry } from '../gateways/gateway-registry.js';
import { SecretBox } from '../platform/crypto/secret-box.js';
import { Database } from '../platform/database/database.js';
import { IdempotencyKeys } from '../platform/idempotency/idempotency-keys.js';
import { JobQueue } from '../platform/jobs/job-queue.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { CLOCK, ENV } from '../platform/tokens.js';
import type { Clock } from '../shared/clock.js';
import { GatewayAccounts } from '../tenants/gateway-accounts.js';
import { TenantsModule } from '../tenants/tenants.module.js';
import { Tickets } from '../tickets/tickets.js';
import { CountedPaymentStore } from './counted-payment-store.js';
import { ExpiryJob } from './expiry-job.js';
import { GatewayCaller } from './gateway-caller.js';
import { KeyTakeover } from './key-takeover.js';
import { KeyedRequests } from './keyed-requests.js';
import { LookUpJob } from './look-up-job.js';
import { OperationBeginning } from './operation-beginning.js';
import { PaymentApplier } from './payment-applier.js';
import { PaymentBeginning } from './payment-beginning.js';
import { PaymentHistory } from './payment-history.js';
import { PaymentResolver } from './payment-resolver.js';
import { PaymentStore } from './payment-store.js';
import { PaymentsController } from './payments.controller.js';
import { PaymentsService } from './payments.service.js';
import { UnappliedSnapshots } from './unapplied-snapshots.js';

/** What the environment says about look-ups. */
function lookUpSettings(env: Env) {
  return { scheduleMs: env.resolveScheduleMs, lagMs: env.lookupLagMs, absenceAfterMs: env.absenceAfterMs };
}

const providers: FactoryProvider[] = [
  { provide: PaymentStore, inject: [Metrics], useFactory: (metrics: Metrics) => new CountedPaymentStore(metrics) },
  { provide: PaymentHistory, inject: [PaymentStore], useFactory: (store: PaymentStore) => new PaymentHistory(store) },
  {
    provide: PaymentApplier, inject: [PaymentStore, Tickets, CLOCK],
    useFactory: (store: PaymentStore, tickets: Tickets, clock: Clock) => new PaymentApplier(store, tickets, clock),
  },
  {
    provide: GatewayCaller, inject: [GatewayRegistry, GatewayAccounts, CLOCK],
    useFactory: (registry: GatewayRegistry, accounts: GatewayAccounts, clock: Clock) => new GatewayCaller(registry, accounts, clock),
  },
  {
    provide: PaymentBeginning, inject: [PaymentStore, GatewayAccounts, JobQueue, SecretBox, CLOCK, ENV],
    useFactory: (store: PaymentStore, accounts: GatewayAccounts, jobs: JobQueue, box: SecretBox, clock: Clock, env: Env) =>
      new PaymentBeginning(store, accounts, jobs, box, clock, { gatewayTimeoutMs: env.gatewayTimeoutMs, idempotencyLeaseMs: env.idempotencyLeaseMs }),
  },
  {
    provide: PaymentResolver, inject: [Database, PaymentStore, GatewayAccounts, GatewayCaller, PaymentApplier, JobQueue, ENV],
    useFactory: (database: Database, store: PaymentStore, accounts: GatewayAccounts, caller: GatewayCaller, applier: PaymentApplier, jobs: JobQueue, env: Env) =>
      new PaymentResolver(database, store, accounts, caller, applier, jobs, lookUpSettings(env)),
  },
  {
    provide: KeyTakeover, inject: [Database, IdempotencyKeys, PaymentStore, PaymentApplier, PaymentResolver, ENV],
    useFactory: (database: Database, keys: IdempotencyKeys, store: PaymentStore, applier: PaymentApplier, resolver: PaymentResolver, env: Env) =>
      new KeyTakeover(database, keys, store, applier, resolver, lookUpSettings(env)),
  },
  {
    provide: UnappliedSnapshots, inject: [Database, PaymentStore, IdempotencyKeys, PaymentApplier, JobQueue, ENV],
    useFactory: (database: Database, store: PaymentStore, keys: IdempotencyKeys, applier: PaymentApplier, jobs: JobQueue, env: Env) =>
      new UnappliedSnapshots(database, store, keys, applier, jobs, lookUpSettings(env)),
  },
  {
    provide: KeyedRequests, inject: [Database, IdempotencyKeys, GatewayCaller, PaymentApplier, JobQueue, KeyTakeover, UnappliedSnapshots, CLOCK, ENV],
    useFactory: (database: Database, keys: IdempotencyKeys, caller: GatewayCaller, applier: PaymentApplier, jobs: JobQueue, takeover: KeyTakeover, unapplied: UnappliedSnapshots, clock: Clock, env: Env) =>
      new KeyedRequests(database, keys, caller, applier, jobs, takeover, unapplied, clock, { ...lookUpSettings(env), gatewayTimeoutMs: env.gatewayTimeoutMs, newPayments: env.newPayments }),
  },
  {
    provide: LookUpJob, inject: [Database, IdempotencyKeys, KeyTakeover, PaymentResolver, JobQueue, ENV],
    useFactory: (database: Database, keys: IdempotencyKeys, takeover: KeyTakeover, resolver: PaymentResolver, jobs: JobQueue, env: Env) =>
      new LookUpJob(database, keys, takeover, resolver, jobs, Math.min(env.gatewayTimeoutMs, env.jobLeaseMs / 2)),
  },
  {
    provide: ExpiryJob, inject: [Database, PaymentStore, JobQueue, CLOCK],
    useFactory: (database: Database, store: PaymentStore, jobs: JobQueue, clock: Clock) => new ExpiryJob(database, store, jobs, clock),
  },
  {
    provide: OperationBeginning, inject: [PaymentStore, GatewayAccounts, JobQueue, GatewayCaller, CLOCK, ENV],
    useFactory: (store: PaymentStore, accounts: GatewayAccounts, jobs: JobQueue, caller: GatewayCaller, clock: Clock, env: Env) =>
      new OperationBeginning(store, accounts, jobs, caller, clock, { gatewayTimeoutMs: env.gatewayTimeoutMs, idempotencyLeaseMs: env.idempotencyLeaseMs }),
  },
  {
    provide: PaymentsService, inject: [Database, PaymentStore, KeyedRequests, PaymentBeginning, OperationBeginning, PaymentResolver, JobQueue, CLOCK],
    useFactory: (
      database: Database, store: PaymentStore, requests: KeyedRequests, beginning: PaymentBeginning, operations: OperationBeginning, resolver: PaymentResolver, jobs: JobQueue, clock: Clock,
    ) => new PaymentsService(database, store, requests, beginning, operations, resolver, jobs, clock),
  },
];

/** Payments: the HTTP routes, the life of a payment, and the jobs that find out what became of it. */
@Module({ imports: [TenantsModule], controllers: [PaymentsController], providers, exports: [LookUpJob, ExpiryJob, UnappliedSnapshots] })
export class PaymentsModule {}
