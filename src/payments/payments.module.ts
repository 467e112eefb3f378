import { Module, type FactoryProvider } from '@nestjs/common';
import { Customers } from '../customers/customers.js';
import { SavedMethods } from '../customers/saved-methods.js';
import { CustomersModule } from '../customers/customers.module.js';
import { CustomerPaymentsController } from './customer-payments.controller.js';
import type { Env } from '../config/env.js';
import { GATEWAY_DEFINITIONS } from '../gateways/gateways.js';
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
import { GatewayEvents } from './gateway-events.js';
import { TimelineEvents } from './timeline-events.js';
import { GatewayCaller } from './gateway-caller.js';
import { KeyTakeover } from './key-takeover.js';
import { KeyedRequests } from './keyed-requests.js';
import { Resolutions } from './resolutions.js';
import { ResolutionsController } from './resolutions.controller.js';
import { TicketsController } from './tickets.controller.js';
import { AuditTrail } from '../platform/audit/audit-trail.js';
import { AccountLookOverJob, LookOverJob } from './look-over-jobs.js';
import { LookUpJob } from './look-up-job.js';
import { OperationBeginning } from './operation-beginning.js';
import { Payers } from './payers.js';
import { PaymentApplier } from './payment-applier.js';
import { PaymentBeginning } from './payment-beginning.js';
import { PaymentHistory } from './payment-history.js';
import { PaymentResolver } from './payment-resolver.js';
import { PaymentStore } from './payment-store.js';
import { PspBooks } from './psp-books.js';
import { PaymentsController } from './payments.controller.js';
import { PaymentsService } from './payments.service.js';
import { PanelRefundsJob } from './panel-refunds-job.js';
import { RefundBeginning } from './refund-beginning.js';
import { RefundQueueJob } from './refund-queue-job.js';
import { RefundsController } from './refunds.controller.js';
import { Refunds } from './refunds.js';
import { ReturnJob } from './return-job.js';
import { FollowUps } from './follow-ups.js';
import { ForgetCustomerJob } from './forget-customer-job.js';
import { UnappliedSnapshots } from './unapplied-snapshots.js';
import { UnknownPayments } from './unknown-payments.js';

/** What the environment says about look-ups. */
function lookUpSettings(env: Env) {
  return { scheduleMs: env.resolveScheduleMs, lagMs: env.lookupLagMs, absenceAfterMs: env.absenceAfterMs };
}

/** A job's call of a PSP ends well within the job's lease. */
function callWithinMs(env: Env): number {
  return Math.min(env.gatewayTimeoutMs, env.jobLeaseMs / 2);
}

/** How far the slowest PSP's look-ups may lag behind its books. */
function lagMsOf(env: Env): number {
  return env.lookupLagMs ?? Math.max(...GATEWAY_DEFINITIONS.map(({ profile }) => profile.lookupLagMs));
}

const providers: FactoryProvider[] = [
  { provide: PaymentStore, inject: [Metrics], useFactory: (metrics: Metrics) => new CountedPaymentStore(metrics) },
  { provide: TimelineEvents, useFactory: () => new TimelineEvents() },
  { provide: PaymentHistory, inject: [PaymentStore, TimelineEvents], useFactory: (store: PaymentStore, others: TimelineEvents) => new PaymentHistory(store, others) },
  {
    provide: GatewayEvents, inject: [Database, PaymentStore, GatewayAccounts, GatewayCaller, PaymentResolver, UnknownPayments, CLOCK, ENV],
    useFactory: (
      database: Database, store: PaymentStore, accounts: GatewayAccounts, caller: GatewayCaller, resolver: PaymentResolver, unknown: UnknownPayments, clock: Clock, env: Env,
    ) => new GatewayEvents(database, store, accounts, caller, resolver, unknown, clock, { ...lookUpSettings(env), lookUpWithinMs: Math.min(env.gatewayTimeoutMs, env.jobLeaseMs / 4), withinMs: env.jobLeaseMs * 0.7 }),
  },
  {
    provide: FollowUps, inject: [JobQueue, ENV],
    useFactory: (jobs: JobQueue, env: Env) => new FollowUps(jobs, { scheduleMs: env.resolveScheduleMs, lagMs: lagMsOf(env) }),
  },
  {
    provide: PaymentApplier, inject: [PaymentStore, Tickets, FollowUps, CLOCK],
    useFactory: (store: PaymentStore, tickets: Tickets, followUps: FollowUps, clock: Clock) => new PaymentApplier(store, tickets, followUps, clock),
  },
  {
    provide: GatewayCaller, inject: [GatewayRegistry, GatewayAccounts, CLOCK],
    useFactory: (registry: GatewayRegistry, accounts: GatewayAccounts, clock: Clock) => new GatewayCaller(registry, accounts, clock),
  },
  { provide: Payers, inject: [Customers, SavedMethods], useFactory: (customers: Customers, savedMethods: SavedMethods) => new Payers(customers, savedMethods) },
  {
    provide: PaymentBeginning, inject: [PaymentStore, GatewayAccounts, SavedMethods, JobQueue, SecretBox, CLOCK, ENV],
    useFactory: (store: PaymentStore, accounts: GatewayAccounts, savedMethods: SavedMethods, jobs: JobQueue, box: SecretBox, clock: Clock, env: Env) =>
      new PaymentBeginning(store, accounts, savedMethods, jobs, box, clock, { gatewayTimeoutMs: env.gatewayTimeoutMs, idempotencyLeaseMs: env.idempotencyLeaseMs }),
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
      new LookUpJob(database, keys, takeover, resolver, jobs, callWithinMs(env)),
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
    provide: RefundBeginning, inject: [PaymentStore, GatewayAccounts, JobQueue, GatewayCaller, CLOCK, ENV],
    useFactory: (store: PaymentStore, accounts: GatewayAccounts, jobs: JobQueue, caller: GatewayCaller, clock: Clock, env: Env) =>
      new RefundBeginning(store, accounts, jobs, caller, clock, { gatewayTimeoutMs: env.gatewayTimeoutMs, idempotencyLeaseMs: env.idempotencyLeaseMs }),
  },
  {
    provide: RefundQueueJob, inject: [Database, PaymentStore, RefundBeginning, GatewayCaller, PaymentApplier, JobQueue, CLOCK, ENV],
    useFactory: (database: Database, store: PaymentStore, beginning: RefundBeginning, caller: GatewayCaller, applier: PaymentApplier, jobs: JobQueue, clock: Clock, env: Env) =>
      new RefundQueueJob(database, store, beginning, caller, applier, jobs, clock, { ...lookUpSettings(env), gatewayTimeoutMs: callWithinMs(env) }),
  },
  {
    provide: PanelRefundsJob, inject: [Database, PaymentStore, GatewayAccounts, GatewayCaller, JobQueue, CLOCK, ENV],
    useFactory: (database: Database, store: PaymentStore, accounts: GatewayAccounts, caller: GatewayCaller, jobs: JobQueue, clock: Clock, env: Env) =>
      new PanelRefundsJob(database, store, accounts, caller, jobs, clock, callWithinMs(env), env.resolveScheduleMs),
  },
  {
    provide: ReturnJob, inject: [Database, PaymentStore, GatewayAccounts, GatewayCaller, JobQueue, CLOCK, ENV],
    useFactory: (database: Database, store: PaymentStore, accounts: GatewayAccounts, caller: GatewayCaller, jobs: JobQueue, clock: Clock, env: Env) =>
      new ReturnJob(database, store, accounts, caller, jobs, clock, { ...lookUpSettings(env), gatewayTimeoutMs: Math.min(env.gatewayTimeoutMs, env.jobLeaseMs / 4) }),
  },
  { provide: UnknownPayments, inject: [Database, Tickets], useFactory: (database: Database, tickets: Tickets) => new UnknownPayments(database, tickets) },
  { provide: LookOverJob, inject: [Database, JobQueue], useFactory: (database: Database, jobs: JobQueue) => new LookOverJob(database, jobs) },
  {
    provide: PspBooks, inject: [Database, GatewayAccounts, GatewayCaller, CLOCK],
    useFactory: (database: Database, accounts: GatewayAccounts, caller: GatewayCaller, clock: Clock) => new PspBooks(database, accounts, caller, clock),
  },
  {
    provide: AccountLookOverJob, inject: [Database, PaymentStore, GatewayAccounts, PspBooks, PaymentApplier, Tickets, UnknownPayments, JobQueue, CLOCK, ENV],
    useFactory: (
      database: Database, store: PaymentStore, accounts: GatewayAccounts, books: PspBooks, applier: PaymentApplier, tickets: Tickets, unknown: UnknownPayments, jobs: JobQueue, clock: Clock, env: Env,
    ) => new AccountLookOverJob(database, store, accounts, books, applier, tickets, unknown, jobs, clock, { ...lookUpSettings(env), gatewayTimeoutMs: callWithinMs(env) }),
  },
  {
    provide: ForgetCustomerJob, inject: [Database, PaymentStore, IdempotencyKeys, JobQueue, CLOCK],
    useFactory: (database: Database, store: PaymentStore, keys: IdempotencyKeys, jobs: JobQueue, clock: Clock) => new ForgetCustomerJob(database, store, keys, jobs, clock),
  },
  {
    provide: PaymentsService, inject: [Database, PaymentStore, Payers, SavedMethods, KeyedRequests, PaymentBeginning, OperationBeginning, RefundBeginning, PaymentResolver, JobQueue, CLOCK],
    useFactory: (
      database: Database, store: PaymentStore, payers: Payers, savedMethods: SavedMethods, requests: KeyedRequests, beginning: PaymentBeginning, operations: OperationBeginning, refunds: RefundBeginning,
      resolver: PaymentResolver, jobs: JobQueue, clock: Clock,
    ) => new PaymentsService(database, store, payers, savedMethods, requests, beginning, operations, refunds, resolver, jobs, clock),
  },
  {
    provide: Resolutions, inject: [Database, PaymentStore, GatewayAccounts, GatewayCaller, KeyedRequests, PaymentApplier, JobQueue, AuditTrail, CLOCK],
    useFactory: (
      database: Database, store: PaymentStore, accounts: GatewayAccounts, caller: GatewayCaller, requests: KeyedRequests, applier: PaymentApplier, jobs: JobQueue, audit: AuditTrail, clock: Clock,
    ) => new Resolutions(database, store, accounts, caller, requests, applier, jobs, audit, clock),
  },
  { provide: Refunds, inject: [Database, PaymentStore, PaymentsService], useFactory: (database: Database, store: PaymentStore, payments: PaymentsService) => new Refunds(database, store, payments) },
];

/** Payments: the HTTP routes, the life of a payment, and the jobs that find out what became of it. */
@Module({ imports: [TenantsModule, CustomersModule], controllers: [PaymentsController, RefundsController, CustomerPaymentsController, ResolutionsController, TicketsController], providers, exports: [LookUpJob, ExpiryJob, UnappliedSnapshots, RefundQueueJob, PanelRefundsJob, ReturnJob, LookOverJob, AccountLookOverJob, ForgetCustomerJob, GatewayEvents, TimelineEvents] })
export class PaymentsModule {}
