import { Module, type OnModuleInit } from '@nestjs/common';
import type { Env } from '../../config/env.js';
import { GatewayRegistry } from '../../gateways/gateway-registry.js';
import { GatewayEvents } from '../../payments/gateway-events.js';
import { PaymentsModule } from '../../payments/payments.module.js';
import { TimelineEvents } from '../../payments/timeline-events.js';
import { Database } from '../../platform/database/database.js';
import { JobQueue } from '../../platform/jobs/job-queue.js';
import { Metrics } from '../../platform/metrics/metrics.js';
import { CLOCK, ENV } from '../../platform/tokens.js';
import type { Clock } from '../../shared/clock.js';
import { GatewayAccounts } from '../../tenants/gateway-accounts.js';
import { TenantsModule } from '../../tenants/tenants.module.js';
import { InboundWebhooksController } from './inbound-webhooks.controller.js';
import { WebhookEvents } from './webhook-events.js';
import { WebhookProcessing } from './webhook-processing.js';
import { WebhookReceipt } from './webhook-receipt.js';

/** Webhooks of PSPs. */
@Module({
  imports: [TenantsModule, PaymentsModule],
  controllers: [InboundWebhooksController],
  providers: [
    { provide: WebhookEvents, inject: [Database, JobQueue], useFactory: (database: Database, jobs: JobQueue) => new WebhookEvents(database, jobs) },
    {
      provide: WebhookReceipt, inject: [Database, GatewayAccounts, GatewayRegistry, JobQueue, CLOCK, Metrics],
      useFactory: (database: Database, accounts: GatewayAccounts, registry: GatewayRegistry, jobs: JobQueue, clock: Clock, metrics: Metrics) =>
        new WebhookReceipt(database, accounts, registry, jobs, clock, metrics),
    },
    {
      provide: WebhookProcessing, inject: [Database, GatewayEvents, JobQueue, ENV],
      useFactory: (database: Database, events: GatewayEvents, jobs: JobQueue, env: Env) => new WebhookProcessing(database, events, jobs, env.resolveScheduleMs),
    },
  ],
  exports: [WebhookProcessing],
})
export class InboundWebhooksModule implements OnModuleInit {
  constructor(private readonly events: WebhookEvents, private readonly timeline: TimelineEvents) {}

  onModuleInit(): void {
    this.timeline.addSource(this.events.timeline);
  }
}
