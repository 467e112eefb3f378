import type { PaymentSnapshot } from '../gateways/contract/payment-gateway.js';
import { gatewayDefinition } from '../gateways/gateways.js';
import type { Database } from '../platform/database/database.js';
import { TimeWindow, type Clock } from '../shared/clock.js';
import { isId } from '../shared/id.js';
import type { GatewayAccounts } from '../tenants/gateway-accounts.js';
import type { GatewayCaller } from './gateway-caller.js';
import { lookUpTimesOf, type LookUpSettings } from './look-up-times.js';
import type { PaymentResolver } from './payment-resolver.js';
import { attemptOf, paymentOf } from './payment-rows.js';
import type { PaymentStore } from './payment-store.js';
import type { Attempt } from './payment.js';
import type { UnknownPayments } from './unknown-payments.js';

/** What a PSP says has happened: never taken at its word, it makes us ask. */
export type GatewayEvent = {
  tenantId: string;
  gateway: string;
  /** The PSP's id of the payment. */
  reference: string | null;
  /** Our attempt ids of the payment and of the refund it speaks of. */
  ourReference: string | null;
  refundReference: string | null;
  /** Whether it was proven to come from the PSP. What was not is believed least: it names a payment of ours, or nothing. */
  isProven: boolean;
  /** When it came. */
  receivedAt: Date;
};

/**
 * `nothing_new`: the event comes long after all that we know of the payment, and the PSP shows no more; its look-ups may lag by `lagMs` behind what it tells (row A15).
 * `unknown_payment`: none of ours, or none yet: it may be told before its payment is stored; `shown` is how the PSP shows it. `not_shown`: the PSP was asked, and shows nothing yet
 * that the event could mean. `no_answer`: the PSP could not be asked, about `what`.
 */
export type Heard = { kind: 'applied' | 'not_shown'; paymentId: string } | { kind: 'nothing_new'; paymentId: string; lagMs: number } | { kind: 'unknown_payment'; shown: PaymentSnapshot | null }
  | { kind: 'no_answer'; what: string };

/** Asks the PSP about the payment that an event speaks of, and applies the answer. */
export class GatewayEvents {
  constructor(
    private readonly database: Database,
    private readonly store: PaymentStore,
    private readonly accounts: GatewayAccounts,
    private readonly caller: GatewayCaller,
    private readonly resolver: PaymentResolver,
    private readonly unknown: UnknownPayments,
    private readonly clock: Clock,
    /** One call, and all that are made for one event. */
    private readonly settings: LookUpSettings & { lookUpWithinMs: number; withinMs: number },
  ) {}

  async hear(event: GatewayEvent): Promise<Heard> {
    const window = TimeWindow.open(this.clock, this.settings.withinMs);
    const callMs = (): number => Math.max(0, Math.min(this.settings.lookUpWithinMs, window.remainingMs()));
    const spokenOf = await this.attemptOf(event, callMs());
    if (spokenOf === 'no_answer') return { kind: 'no_answer', what: 'whose payment it is' };
    if (!('id' in spokenOf)) return { kind: 'unknown_payment', ...spokenOf };
    const { tenantId } = event;
    // An event that nobody proved may name any payment of the PSP's: what ours is called there is learnt from the PSP alone.
    const webhook = event.isProven && event.reference !== null && spokenOf.gatewayReference === null ? { reference: event.reference } : {};
    const resolution = await this.resolver.lookUp(tenantId, spokenOf.id, callMs(), { webhook });
    const unanswered = resolution.answered ? [] : ['the payment'];
    if (event.reference !== null && resolution.attempt.gatewayReference !== null && event.reference !== resolution.attempt.gatewayReference) {
      if (!await this.hearOfAnother(resolution.attempt, event.reference, callMs)) unanswered.push('another payment');
    }
    for (const attempt of resolution.attempts.filter((other) => isConcerned(other, event))) {
      if (!(await this.resolver.lookUp(tenantId, attempt.id, callMs(), { webhook: {} })).answered) unanswered.push(`${attempt.operation} ${attempt.id}`);
    }
    if (unanswered.length > 0) return { kind: 'no_answer', what: unanswered.join(', ') };
    // The attempt is over and nobody polls it any more: what is only on its way, or not shown yet, is asked again.
    const isOver = resolution.attempt.status === 'failed' || resolution.attempt.status === 'declined';
    if (isOver && ['pending', 'requires_action', 'absent'].includes(resolution.shown)) return { kind: 'not_shown', paymentId: spokenOf.paymentId };
    const { lagMs } = lookUpTimesOf(gatewayDefinition(event.gateway).profile, this.settings);
    const isNothingNew = resolution.payment.updatedAt.getTime() < event.receivedAt.getTime() - lagMs;
    return isNothingNew ? { kind: 'nothing_new', paymentId: spokenOf.paymentId, lagMs } : { kind: 'applied', paymentId: spokenOf.paymentId };
  }

  /** Tells people of money that the PSP shows under an id of ours that we do not know, in the end. */
  async reportUnknown(tenantId: string, shown: PaymentSnapshot | null): Promise<void> {
    if (shown !== null) await this.unknown.report(tenantId, shown);
  }

  /** Another payment at the PSP may be ours too: only the PSP's own word makes it so. */
  private async hearOfAnother(attempt: Attempt, reference: string, callMs: () => number): Promise<boolean> {
    const account = await this.accounts.version(this.database, attempt.tenantId, attempt.gatewayAccountId);
    const snapshot = await this.caller.fetch(account, reference, callMs());
    if (snapshot === null || snapshot === 'no_answer' || snapshot.ourReference !== attempt.id) return snapshot !== 'no_answer';
    return (await this.resolver.lookUp(attempt.tenantId, attempt.id, callMs(), { webhook: { reference } })).answered;
  }

  /** The attempt that the event speaks of; else what the PSP shows of what is not ours. */
  private async attemptOf(event: GatewayEvent, withinMs: number): Promise<Attempt | { shown: PaymentSnapshot | null } | 'no_answer'> {
    const known = await this.attemptById(event, event.ourReference) ?? await this.attemptByReference(event) ?? await this.attemptById(event, event.refundReference);
    if (known !== null) return known;
    if (!event.isProven || event.reference === null) return { shown: null };
    // Its reply is lost or still on its way: the PSP shows whose it is.
    const account = (await this.accounts.current(this.database, event.tenantId)).find(({ gateway }) => gateway === event.gateway);
    if (account === undefined) return { shown: null };
    const shown = await this.caller.fetch(account, event.reference, withinMs);
    return shown === 'no_answer' ? shown : await this.attemptById(event, shown?.ourReference ?? null) ?? { shown };
  }

  /** The attempt to authorize with this id, or the one that an operation with this id is about. */
  private async attemptById({ tenantId, gateway }: GatewayEvent, id: string | null): Promise<Attempt | null> {
    if (id === null || !isId('att', id)) return null;
    const row = await this.database.forTenant(tenantId).selectFrom('payment_attempts').selectAll().where('id', '=', id).where('gateway', '=', gateway).executeTakeFirst();
    if (row === undefined) return null;
    const attempt = attemptOf(row);
    return attempt.operation === 'authorize' ? attempt : this.madeBy(tenantId, attempt.paymentId, attempt.gatewayReference);
  }

  private async attemptByReference({ tenantId, gateway, reference }: GatewayEvent): Promise<Attempt | null> {
    if (reference === null) return null;
    const row = await this.database.forTenant(tenantId).selectFrom('payments').selectAll()
      .where('gateway_reference', '=', Buffer.from(reference)).where('gateway', '=', gateway).executeTakeFirst();
    return row === undefined ? null : this.madeBy(tenantId, paymentOf(row).id, reference);
  }

  private async madeBy(tenantId: string, paymentId: string, reference: string | null): Promise<Attempt | null> {
    const attempts = await this.store.attempts(this.database, tenantId, paymentId);
    return attempts.findLast(({ operation, gatewayReference }) => operation === 'authorize' && gatewayReference === reference) ?? null;
  }
}

/** Whether the event may have ended this operation. The refund that it names is looked at even where it was called failed. */
function isConcerned(attempt: Attempt, { refundReference }: GatewayEvent): boolean {
  if (attempt.operation === 'authorize' || attempt.returnsAttemptId !== null) return false;
  return attempt.id === refundReference || ['sent', 'pending', 'unknown'].includes(attempt.status);
}
