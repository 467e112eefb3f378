import { Module, type DynamicModule } from '@nestjs/common';
import type { Env } from './config/env.js';
import { CardDataModule } from './card-data/card-data.module.js';
import { CustomersModule } from './customers/customers.module.js';
import { CARD_DATA_SCAN_JOB, CardDataScanJob } from './card-data/card-data-scan.job.js';
import { GatewaysModule } from './gateways/gateways.module.js';
import { CUSTOMER_ERASED_JOB } from './customers/customer-erasure.js';
import { CustomerForgetting, FORGET_CUSTOMER_JOB } from './customers/customer-forgetting.js';
import { FORGET_METHOD_JOB, MethodForgetting } from './customers/method-forgetting.js';
import { EXPIRY_JOB, ExpiryJob } from './payments/expiry-job.js';
import { ForgetCustomerJob } from './payments/forget-customer-job.js';
import { ACCOUNT_LOOK_OVER_JOB, AccountLookOverJob, LOOK_OVER_JOB, LookOverJob } from './payments/look-over-jobs.js';
import { LookUpJob } from './payments/look-up-job.js';
import { LOOK_UP_JOB } from './payments/payment-applier.js';
import { PaymentsModule } from './payments/payments.module.js';
import { REFUND_CHECK_JOB, REFUND_QUEUE_JOB, RETURN_JOB } from './payments/follow-ups.js';
import { PanelRefundsJob } from './payments/panel-refunds-job.js';
import { RefundQueueJob } from './payments/refund-queue-job.js';
import { ReturnJob } from './payments/return-job.js';
import { APPLY_JOB, UnappliedSnapshots } from './payments/unapplied-snapshots.js';
import type { Database } from './platform/database/database.js';
import { checkConnection, checkSchema, checkSession } from './platform/database/readiness.js';
import { HealthModule } from './platform/health/health.module.js';
import type { ReadinessCheck } from './platform/health/readiness.js';
import { WorkerPages } from './platform/health/worker-pages.js';
import { JobsModule } from './platform/jobs/jobs.module.js';
import { Metrics } from './platform/metrics/metrics.js';
import { MetricsModule } from './platform/metrics/metrics.module.js';
import { ScrapeModule } from './platform/metrics/scrape.module.js';
import { OperatorPages } from './platform/http/operator-pages.js';
import { PlatformModule } from './platform/platform.module.js';
import { RateLimitModule } from './platform/rate-limit/rate-limit.module.js';
import { TracingModule } from './platform/tracing/tracing.module.js';
import { TenantsModule } from './tenants/tenants.module.js';
import { TicketsModule } from './tickets/tickets.module.js';
import { InboundWebhooksModule } from './webhooks/inbound/inbound-webhooks.module.js';
import { WEBHOOK_JOB, WebhookProcessing } from './webhooks/inbound/webhook-processing.js';
import { MIGRATIONS } from '../migrations/migrations.js';

/** The table of contents. */
@Module({})
export class AppModule {
  /** The HTTP API; with the job runner in the same process unless `WORKER=off`. */
  static api(env: Env, database: Database): DynamicModule {
    const scraped = ScrapeModule.forRoot({ jobKinds: JOB_KINDS });
    return { module: AppModule, imports: [TracingModule.forRoot(env, 'api'), ...features(env, database), scraped, OperatorPages, ...(env.worker === 'inline' ? [jobs()] : [])] };
  }

  /** The job runner alone; with a port for those who watch it where `WORKER_PORT` is set. */
  static worker(env: Env, database: Database): DynamicModule {
    return { module: AppModule, imports: [TracingModule.forRoot(env, 'worker'), ...features(env, database), WorkerPages.forRoot({ checks: readinessChecks(database), jobKinds: JOB_KINDS }), jobs()] };
  }
}

const JOB_KINDS = [LOOK_UP_JOB, EXPIRY_JOB, APPLY_JOB, REFUND_QUEUE_JOB, REFUND_CHECK_JOB, RETURN_JOB, LOOK_OVER_JOB, ACCOUNT_LOOK_OVER_JOB, CUSTOMER_ERASED_JOB, FORGET_METHOD_JOB, FORGET_CUSTOMER_JOB, WEBHOOK_JOB, CARD_DATA_SCAN_JOB];

function readinessChecks(database: Database): ReadinessCheck[] {
  return [
    { name: 'database', check: () => checkConnection(database) },
    { name: 'session', check: () => checkSession(database) },
    { name: 'schema', check: () => checkSchema(database, MIGRATIONS) },
  ];
}

function features(env: Env, database: Database) {
  const metrics = new Metrics();
  return [
    MetricsModule.forRoot(metrics),
    PlatformModule.forRoot(env, database),
    RateLimitModule.forRoot(env, metrics),
    HealthModule.forRoot(readinessChecks(database), env),
    GatewaysModule.forRoot({ hosts: env.hosts, metrics }),
    TicketsModule,
    TenantsModule,
    CustomersModule,
    PaymentsModule,
    InboundWebhooksModule,
  ];
}

function jobs(): DynamicModule {
  return JobsModule.forHandlers([PaymentsModule, CustomersModule, InboundWebhooksModule, CardDataModule], [LookUpJob, ExpiryJob, UnappliedSnapshots, RefundQueueJob, PanelRefundsJob, ReturnJob, LookOverJob, AccountLookOverJob, ForgetCustomerJob, MethodForgetting, CustomerForgetting, WebhookProcessing, CardDataScanJob]);
}
