import { createHash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { GatewayError } from '../../gateways/contract/gateway-error.js';
import { supports, type WebhookDelivery, type WebhookNotice } from '../../gateways/contract/payment-gateway.js';
import type { GatewayRegistry } from '../../gateways/gateway-registry.js';
import { GATEWAY_CODES, isGatewayCode } from '../../gateways/gateways.js';
import type { Database } from '../../platform/database/database.js';
import type { JobQueue } from '../../platform/jobs/job-queue.js';
import type { Metrics } from '../../platform/metrics/metrics.js';
import { TimeWindow, type Clock } from '../../shared/clock.js';
import { isId, newId } from '../../shared/id.js';
import { Problem } from '../../shared/problem.js';
import type { GatewayAccounts } from '../../tenants/gateway-accounts.js';
import type { WebhookEventRow } from './entities/webhook-event.entity.js';
import { processingOf } from './webhook-processing.js';

const OUTCOMES = ['stored', 'repeated', 'rejected', 'unreadable'] as const;

/** Takes in what PSPs post: proves it, stores it, and only then says that it was received (invariant I12). */
export class WebhookReceipt {
  private readonly received;
  private readonly logger = new Logger(WebhookReceipt.name);

  constructor(
    private readonly database: Database,
    private readonly accounts: GatewayAccounts,
    private readonly registry: GatewayRegistry,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
    metrics: Metrics,
  ) {
    this.received = metrics.counter({ name: 'smartpay_webhooks_received_total', help: 'Webhooks of PSPs by what became of the delivery.', labelNames: ['gateway', 'outcome'] });
    // Shown before the first of them happens: the step from nothing to one is no increase to Prometheus.
    for (const gateway of GATEWAY_CODES) for (const outcome of OUTCOMES) this.received.inc({ gateway, outcome }, 0);
  }

  /** @throws Problem `not_found` for no such tenant or gateway, `unauthorized` when not authentic, `malformed_json` when authentic and not readable */
  async receive(gateway: string, tenantId: string, delivery: WebhookDelivery): Promise<void> {
    const notice = await this.prove(gateway, tenantId, delivery);
    const isNew = await this.store(gateway, tenantId, notice, delivery.body);
    if (isNew && notice.isProven && notice.alert !== undefined) this.logger.error({ alert: true, gateway, tenantId, topic: notice.topic, msg: notice.alert });
    this.received.inc({ gateway, outcome: isNew ? 'stored' : 'repeated' });
  }

  private async prove(gateway: string, tenantId: string, delivery: WebhookDelivery): Promise<WebhookNotice> {
    // One answer for both: it tells nobody which tenants there are.
    const accounts = isGatewayCode(gateway) && isId('ten', tenantId) ? await this.accounts.forWebhooks(this.database, tenantId, gateway) : [];
    if (accounts.length === 0) throw new Problem('not_found', 'There is no such tenant or gateway.');
    for (const [age, account] of accounts.entries()) {
      const window = TimeWindow.open(this.clock, 0);
      const opened = this.registry.open(gateway, { credentials: this.accounts.credentialsOf(account), environment: account.environment, settings: account.settings, window });
      if (!supports(opened, 'readWebhook')) throw new Problem('not_found', 'There is no such tenant or gateway.');
      try {
        // Awaited, as the registry's wrapper answers with a promise.
        const notice = await Promise.resolve(opened.readWebhook(delivery));
        // What an older version takes without proof, the one in force may have been made to refuse.
        if (age === 0 || notice.isProven || notice.isAuthentic === true) return notice;
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        if (error.kind === 'webhook_rejected') continue;
        this.received.inc({ gateway, outcome: 'unreadable' });
        throw new Problem('malformed_json', 'The body is not an event of this gateway.');
      }
    }
    this.received.inc({ gateway, outcome: 'rejected' });
    throw new Problem('unauthorized', 'The webhook is not authentic.');
  }

  /** One row for identical deliveries, and a job that asks the PSP; both durable before the answer. False for a repeat. */
  private async store(gateway: string, tenantId: string, notice: WebhookNotice, body: Buffer): Promise<boolean> {
    const { topic, eventId, reference, ourReference, refundReference = null, isProven } = notice;
    const id = newId('whe');
    const jobId = newId('job');
    const now = this.clock.now();
    const dedupeKey = sha256(JSON.stringify([eventId, reference, ourReference, refundReference]));
    const isOfPayment = reference !== null || ourReference !== null || refundReference !== null;
    return this.database.transaction(async (transaction) => {
      const events = transaction.forTenant(tenantId);
      const { numInsertedOrUpdatedRows } = await events.insertInto('webhook_events', {
        id, gateway, dedupe_key: dedupeKey, topic: topic.slice(0, 80), event_id: Buffer.from(eventId).subarray(0, 255), status: isOfPayment ? 'received' : 'ignored', is_proven: isProven ? 1 : 0,
        gateway_reference: bytes(reference), our_reference: bytes(ourReference), refund_reference: bytes(refundReference), payment_id: null, deliveries: 1, body_hash: sha256(body), created_at: now, updated_at: now,
      }).onDuplicateKeyUpdate((row) => ({ deliveries: row('webhook_events.deliveries' as never, '+', 1 as never), updated_at: now })).executeTakeFirstOrThrow();
      const isNew = numInsertedOrUpdatedRows === 1n;
      const stored = isNew ? null : await events.selectFrom('webhook_events').select(['id', 'status']).where('gateway', '=', gateway).where('dedupe_key', '=', dedupeKey).executeTakeFirstOrThrow();
      // The PSP says again what we could not make sense of, or could not ask about: another try. So is a hint that is given again: nothing in it tells news from a repeat.
      const isTriedAgain = stored !== null && (['quarantined', 'dead'].includes(stored.status) || (!isProven && stored.status !== 'ignored'));
      if (isTriedAgain) await events.updateTable('webhook_events').set({ status: 'received' }).where('id', '=', stored.id).execute();
      if (isOfPayment && (isNew || isTriedAgain)) await this.jobs.enqueueAgain(transaction, processingOf({ jobId, tenantId, gateway, reference, ourReference, refundReference }));
      return isNew;
    });
  }
}

function sha256(bytes: string | Buffer): WebhookEventRow['dedupe_key'] {
  return createHash('sha256').update(bytes).digest();
}

function bytes(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text).subarray(0, 255);
}
