import { gatewayDefinition } from '../gateways/gateways.js';
import type { AuditTrail } from '../platform/audit/audit-trail.js';
import type { Database, Transaction } from '../platform/database/database.js';
import type { JobQueue } from '../platform/jobs/job-queue.js';
import type { Clock } from '../shared/clock.js';
import { isId, newId } from '../shared/id.js';
import { Problem } from '../shared/problem.js';
import type { Caller } from '../tenants/caller.js';
import type { Answer } from './answer.js';
import { RESOLVED } from './apply-effect.js';
import type { ResolutionDto, ResolvePaymentDto, ResolveRefundDto } from './dto/resolution.dto.js';
import type { ResolutionRow } from './entities/resolution.entity.js';
import type { GatewayCaller } from './gateway-caller.js';
import type { Begin, KeyedRequests } from './keyed-requests.js';
import type { Observed } from './observed.js';
import { arrangeLookUp, type PaymentApplier } from './payment-applier.js';
import type { PaymentStore } from './payment-store.js';
import type { Attempt, PaymentRecord } from './payment.js';
import { INLINE_LOOK_UP_MS } from './key-takeover.js';
import type { GatewayAccounts } from '../tenants/gateway-accounts.js';

/** What somebody says has become of a payment or refund, in the PSP's stead. */
export type Finding = { outcome: 'captured' | 'succeeded' | 'failed'; gatewayReference: string | null; evidence: string };

const LIST_MAX = 100;

/**
 * Ends what no evidence of the PSP's ended: payments and refunds in `needs_review`. One person says what they found; it holds when another, with another
 * key, says the same (architecture §5). Until then, and after it, the PSP's own word counts more.
 */
export class Resolutions {
  constructor(
    private readonly database: Database,
    private readonly store: PaymentStore,
    private readonly accounts: GatewayAccounts,
    private readonly caller: GatewayCaller,
    private readonly requests: KeyedRequests,
    private readonly applier: PaymentApplier,
    private readonly jobs: JobQueue,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /** @throws Problem `not_found`, `invalid_state` unless it is in review, `validation_failed` */
  async ofPayment(caller: Caller, key: string, paymentId: string, given: ResolvePaymentDto, rawBody: unknown): Promise<Answer> {
    const route = `POST /v1/payments/${paymentId}/resolution`;
    if (!await this.requests.isKnown(caller.tenantId, key)) await this.check(caller.tenantId, paymentId, findingOf(given));
    return this.requests.answer({ caller, key, route, body: rawBody, successStatus: 200, beginsPayment: false }, this.begin(caller, paymentId, null, findingOf(given)));
  }

  /** @throws Problem as for a payment */
  async ofRefund(caller: Caller, key: string, refundId: string, given: ResolveRefundDto, rawBody: unknown): Promise<Answer> {
    const found = isId('rfd', refundId) ? await this.database.forTenant(caller.tenantId).selectFrom('refunds').select('payment_id').where('id', '=', refundId).executeTakeFirst() : undefined;
    if (found === undefined) throw new Problem('not_found', 'There is no such refund.');
    const route = `POST /v1/refunds/${refundId}/resolution`;
    return this.requests.answer({ caller, key, route, body: rawBody, successStatus: 200, beginsPayment: false }, this.begin(caller, found.payment_id, refundId, findingOf(given)));
  }

  /** What was found about a payment and its refunds, newest first. @throws Problem `not_found` */
  async list(tenantId: string, paymentId: string): Promise<ResolutionDto[]> {
    await this.store.find(this.database, tenantId, paymentId);
    const rows = await this.database.forTenant(tenantId).selectFrom('resolutions').selectAll().where('payment_id', '=', paymentId).orderBy('id', 'desc').limit(LIST_MAX).execute();
    return rows.map(resolutionView);
  }

  /**
   * Two people can be wrong about a reference, and money would be given back by it: where the gateway answers, it must be this payment's. @throws Problem `validation_failed`
   */
  private async check(tenantId: string, paymentId: string, { outcome, gatewayReference }: Finding): Promise<void> {
    if (outcome !== 'captured' || gatewayReference === null) return;
    const { payment, attempts } = await this.store.record(this.database, tenantId, paymentId);
    const attempt = attempts.findLast(({ operation }) => operation === 'authorize');
    if (payment.state.status !== 'needs_review' || attempt === undefined) return;
    const shown = await this.caller.fetch(await this.accounts.version(this.database, tenantId, attempt.gatewayAccountId), gatewayReference, INLINE_LOOK_UP_MS);
    if (shown === null) throw invalid('gatewayReference', 'names no payment at the gateway');
    if (shown !== 'no_answer' && shown.ourReference !== null && shown.ourReference !== attempt.id) throw invalid('gatewayReference', 'names another payment at the gateway');
    const others = await this.database.forTenant(tenantId).selectFrom('payments').select('id').where('gateway_reference', '=', Buffer.from(gatewayReference)).where('gateway', '=', attempt.gateway).where('id', '!=', paymentId).limit(1).execute();
    if (others.length > 0) throw invalid('gatewayReference', 'is another payment\'s');
  }

  private begin({ tenantId, keyId }: Caller, paymentId: string, refundId: string | null, finding: Finding): Begin {
    const [id, entryId, at] = [newId('res'), newId('aud'), this.clock.now()];
    return async (transaction) => {
      const { payment } = await this.store.lock(transaction, tenantId, paymentId);
      const before = await this.store.withParts(transaction, payment);
      const attempt = inReview(before, refundId);
      const rows = transaction.forTenant(tenantId);
      const [open] = await rows.selectFrom('resolutions').selectAll().where('payment_id', '=', paymentId).where('refund_id', refundId === null ? 'is' : '=', refundId).where('status', '=', 'proposed').limit(1).execute();
      const isApproval = open !== undefined && open.proposed_by !== keyId && saysTheSame(open, finding);
      const subject = refundId ?? paymentId;
      const audited = { id: entryId, tenantId, createdAt: at, actor: keyId, subject, detail: { outcome: finding.outcome, gatewayReference: finding.gatewayReference, resolution: isApproval ? open.id : id } };
      if (isApproval) {
        await rows.updateTable('resolutions').set({ status: 'applied', approved_by: keyId, approved_at: at }).where('id', '=', open.id).execute();
        await this.audit.append(transaction, { ...audited, action: 'resolution.approved' });
        return { shown: await this.apply(transaction, before, attempt, { ...finding, gatewayReference: text(open.gateway_reference) }, open.id), ...(refundId === null ? {} : { refundId }), call: null };
      }
      if (finding.outcome === 'captured' && (finding.gatewayReference ?? payment.gatewayReference) === null) throw invalid('gatewayReference', 'is required: the payment has none');
      if (open !== undefined) await rows.updateTable('resolutions').set({ status: 'replaced' }).where('id', '=', open.id).execute();
      await rows.insertInto('resolutions', {
        id, payment_id: paymentId, refund_id: refundId, outcome: finding.outcome, gateway_reference: finding.gatewayReference === null ? null : Buffer.from(finding.gatewayReference), evidence: finding.evidence, status: 'proposed',
        proposed_by: keyId, proposed_at: at, approved_by: null, approved_at: null,
      }).execute();
      await this.audit.append(transaction, { ...audited, action: 'resolution.proposed' });
      return { shown: before, ...(refundId === null ? {} : { refundId }), call: null, statusCode: 202 };
    };
  }

  /** What two people say is applied as if the PSP had said it. */
  private async apply(transaction: Transaction, { payment }: PaymentRecord, attempt: Attempt, finding: Finding, resolutionId: string): Promise<PaymentRecord> {
    const applied = await this.applier.apply(transaction, {
      tenantId: payment.tenantId, paymentId: payment.id, attemptId: attempt.id, cause: 'people', profile: gatewayDefinition(attempt.gateway).profile,
      decide: (_payment, current) => ({ observed: observedBy(finding, current, payment.gatewayReference, resolutionId), attempt: { ...current, nextLookUpAt: null } }),
    });
    await arrangeLookUp(this.jobs, transaction, applied.attempt, null, applied.now);
    return applied;
  }
}

/** The attempt whose end nobody knows. @throws Problem `not_found`, `invalid_state` */
function inReview({ payment, attempts, refunds }: PaymentRecord, refundId: string | null): Attempt {
  const refund = refunds.find(({ id }) => id === refundId);
  const status = refundId === null ? payment.state.status : refund?.status;
  if (status === undefined) throw new Problem('not_found', 'There is no such refund.');
  if (status !== 'needs_review') throw new Problem('invalid_state', `What is ${status} needs no resolution.`);
  const attempt = attempts.findLast((each) => (refundId === null ? each.operation === 'authorize' : each.refundId === refundId));
  if (attempt === undefined) throw new Error(`nothing was ever asked about ${refundId ?? payment.id}`);
  return attempt;
}

function findingOf({ outcome, gatewayReference, evidence }: ResolvePaymentDto | ResolveRefundDto): Finding {
  if (outcome === 'failed' && gatewayReference != null) throw invalid('gatewayReference', 'does not go with outcome failed');
  return { outcome, gatewayReference: gatewayReference ?? null, evidence };
}

/** Who agrees need not repeat the reference. */
function saysTheSame({ outcome, gateway_reference: reference }: ResolutionRow, finding: Finding): boolean {
  return outcome === finding.outcome && (finding.gatewayReference === null || finding.gatewayReference === text(reference));
}

function observedBy({ outcome, gatewayReference }: Finding, { id, amount, operation, gatewayReference: asked }: Attempt, known: string | null, resolutionId: string): Observed {
  const [raw, pspCode, message] = [{ resolution: resolutionId }, RESOLVED, 'Two people found that no money was moved.'];
  if (operation === 'refund') return { kind: 'refund', refund: { reference: gatewayReference, amount, pspCode, raw, ...(outcome === 'failed' ? { status: 'failed', message } : { status: 'succeeded' }) } };
  const facts = { reference: gatewayReference ?? known ?? asked, ourReference: id, amount, captured: outcome === 'failed' ? null : amount, refunded: null, pspCode, raw };
  return { kind: 'snapshot', snapshot: outcome === 'failed' ? { ...facts, status: 'declined', decline: { code: 'processing_error', pspCode, message, retryable: false } } : { ...facts, status: 'captured' } };
}

function resolutionView(row: ResolutionRow): ResolutionDto {
  return {
    id: row.id, paymentId: row.payment_id, refundId: row.refund_id, outcome: row.outcome, gatewayReference: text(row.gateway_reference), evidence: row.evidence, status: row.status,
    proposedBy: row.proposed_by, proposedAt: row.proposed_at.toISOString(), approvedBy: row.approved_by, approvedAt: row.approved_at?.toISOString() ?? null,
  };
}

const text = (bytes: Buffer | null): string | null => bytes?.toString('utf8') ?? null;

function invalid(field: string, message: string): Problem {
  return new Problem('validation_failed', 'The request is not valid.', { errors: [{ field, message }] });
}
