import { GATEWAY_CODES } from '../gateways/gateways.js';
import type { DatabaseAccess } from '../platform/database/database.js';
import type { Metrics } from '../platform/metrics/metrics.js';
import { PAYMENT_STATUSES } from './payment-state.js';
import { PaymentStore, type NewTransition } from './payment-store.js';

/** Counts each step of a payment into another status, once it is durable. */
export class CountedPaymentStore extends PaymentStore {
  private readonly counter;

  constructor(private readonly metrics: Metrics) {
    super();
    this.counter = metrics.counter({ name: 'smartpay_payments_total', help: 'Payments that came into a status; gateway is none before one is chosen.', labelNames: ['gateway', 'status'] });
    // Shown before the first of them happens: the step from nothing to one is no increase to Prometheus.
    for (const gateway of ['none', ...GATEWAY_CODES]) for (const status of PAYMENT_STATUSES) this.counter.inc({ gateway, status }, 0);
  }

  override async insertTransitions(access: DatabaseAccess, transitions: readonly NewTransition[]): Promise<void> {
    await super.insertTransitions(access, transitions);
    for (const { payment: { state: { status }, gateway }, from } of transitions) {
      if (status !== from?.state.status) this.metrics.countAfterCommit(access, this.counter, { gateway: gateway ?? 'none', status });
    }
  }
}
