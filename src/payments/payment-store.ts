import type { DatabaseAccess } from '../platform/database/database.js';
import { databaseNow, databaseTimeIn } from '../platform/database/time.js';
import { Problem } from '../shared/problem.js';
import { isId } from '../shared/id.js';
import type { TransitionCause } from './payment-state.js';
import { attemptChanges, attemptOf, paymentColumns, paymentOf, refundColumns, refundOf } from './payment-rows.js';
import type { Attempt, Payment, PaymentRecord } from './payment.js';
import type { Refund } from './refund.js';

/** A step in a payment's history. */
export type NewTransition = { payment: Payment; from: Payment | null; cause: TransitionCause; attemptId: string | null; refundId?: string; detail: string | null; traceId: string | null };

/** The tables of payments, attempts and transitions. It decides nothing. */
export class PaymentStore {
  async find(access: DatabaseAccess, tenantId: string, paymentId: string): Promise<Payment> {
    const row = isId('pay', paymentId)
      ? await access.forTenant(tenantId).selectFrom('payments').selectAll().where('id', '=', paymentId).executeTakeFirst() : undefined;
    if (row === undefined) throw new Problem('not_found', 'There is no such payment.');
    return paymentOf(row);
  }

  /** Locks the payment's row until the transaction ends: one writer at a time. With it, what the database's clock shows. */
  async lock(access: DatabaseAccess, tenantId: string, paymentId: string): Promise<{ payment: Payment; now: Date }> {
    const row = isId('pay', paymentId)
      ? await access.forTenant(tenantId).selectFrom('payments').selectAll().select(databaseNow().as('now')).where('id', '=', paymentId).forUpdate().executeTakeFirst()
      : undefined;
    if (row === undefined) throw new Problem('not_found', 'There is no such payment.');
    return { payment: paymentOf(row), now: row.now };
  }

  async attempts(access: DatabaseAccess, tenantId: string, paymentId: string): Promise<Attempt[]> {
    const rows = await access.forTenant(tenantId).selectFrom('payment_attempts').selectAll()
      .where('payment_id', '=', paymentId).orderBy('sent_at').orderBy('id').execute();
    return rows.map(attemptOf);
  }

  async record(access: DatabaseAccess, tenantId: string, paymentId: string): Promise<PaymentRecord> {
    const payment = await this.find(access, tenantId, paymentId);
    return this.withParts(access, payment);
  }

  /** The payment with what belongs to it. */
  async withParts(access: DatabaseAccess, payment: Payment): Promise<PaymentRecord> {
    return { payment, attempts: await this.attempts(access, payment.tenantId, payment.id), refunds: await this.refunds(access, payment) };
  }

  /** The payment's refunds, oldest first. Most payments have none, and then nothing is asked. */
  async refunds(access: DatabaseAccess, { tenantId, id, refundCount }: Payment): Promise<Refund[]> {
    if (refundCount === 0) return [];
    const rows = await access.forTenant(tenantId).selectFrom('refunds').selectAll().where('payment_id', '=', id).orderBy('id').execute();
    return rows.map(refundOf);
  }

  async insertRefund(access: DatabaseAccess, refund: Refund): Promise<void> {
    await access.forTenant(refund.tenantId).insertInto('refunds', refundColumns(refund)).execute();
  }

  /** Writes a refund back. Only under its payment's lock. */
  async updateRefund(access: DatabaseAccess, refund: Refund): Promise<void> {
    const { id, created_at: _createdAt, ...columns } = refundColumns(refund);
    await access.forTenant(refund.tenantId).updateTable('refunds').set(columns as never).where('id', '=', id as never).execute();
  }

  async attempt(access: DatabaseAccess, tenantId: string, attemptId: string): Promise<Attempt> {
    return (await this.attemptNow(access, tenantId, attemptId)).attempt;
  }

  /** An attempt, and what the database's clock shows. */
  async attemptNow(access: DatabaseAccess, tenantId: string, attemptId: string): Promise<{ attempt: Attempt; now: Date }> {
    const row = await access.forTenant(tenantId).selectFrom('payment_attempts').selectAll().select(databaseNow().as('now')).where('id', '=', attemptId).executeTakeFirstOrThrow();
    return { attempt: attemptOf(row), now: row.now };
  }

  async insert(access: DatabaseAccess, payment: Payment): Promise<void> {
    await access.forTenant(payment.tenantId).insertInto('payments', paymentColumns(payment)).execute();
  }

  /** Adds an attempt that is about to be made; the call can go out until `windowMs` from now. */
  async insertAttempt(access: DatabaseAccess, attempt: Attempt, windowMs: number): Promise<void> {
    await access.forTenant(attempt.tenantId).insertInto('payment_attempts', {
      id: attempt.id, payment_id: attempt.paymentId, gateway: attempt.gateway, gateway_account_id: attempt.gatewayAccountId, operation: attempt.operation,
      refund_id: attempt.refundId, returns_attempt_id: attempt.returnsAttemptId,
      amount_minor: Number(attempt.amount.amountMinor), currency: attempt.amount.currency,
      sent_at: databaseNow(), deadline_at: databaseTimeIn(windowMs), pulled_forward_at: null, unapplied_snapshot: null,
      created_at: attempt.createdAt, updated_at: attempt.createdAt, ...attemptChanges(attempt),
    }).execute();
  }

  async idByUniqueReference(access: DatabaseAccess, tenantId: string, reference: string): Promise<string | null> {
    const row = await access.forTenant(tenantId).selectFrom('payments').select('id').where('unique_reference', '=', Buffer.from(reference)).executeTakeFirst();
    return row?.id ?? null;
  }

  /** Writes a payment back. Only under its lock. */
  async update(access: DatabaseAccess, payment: Payment): Promise<void> {
    const { id, created_at: _createdAt, ...columns } = paymentColumns(payment);
    await access.forTenant(payment.tenantId).updateTable('payments').set(columns as never).where('id', '=', id as never).execute();
  }

  /** Writes an attempt back. Only under its payment's lock. */
  async updateAttempt(access: DatabaseAccess, attempt: Attempt, now: Date): Promise<void> {
    await access.forTenant(attempt.tenantId).updateTable('payment_attempts').set({ ...attemptChanges(attempt), updated_at: now } as never)
      .where('id', '=', attempt.id as never).execute();
  }

  /** Appends to the history, one row per version. */
  async insertTransitions(access: DatabaseAccess, transitions: readonly NewTransition[]): Promise<void> {
    const [first] = transitions;
    if (first === undefined) return;
    await access.forTenant(first.payment.tenantId).insertInto('payment_transitions', transitions.map(({ payment, from, cause, attemptId, refundId, detail, traceId }) => ({
      payment_id: payment.id, version: payment.version, from_status: from?.state.status ?? null, to_status: payment.state.status,
      processing_reason: payment.state.processingReason, cause, attempt_id: attemptId, refund_id: refundId ?? null, detail: detail?.slice(0, 255) ?? null, trace_id: traceId,
      created_at: payment.updatedAt,
    }))).execute();
  }

  /** Notes that a reader pulled the look-up forward. False when that happened less than `everyMs` ago. */
  async notePullForward(access: DatabaseAccess, attempt: Attempt, everyMs: number): Promise<boolean> {
    const { numUpdatedRows } = await access.forTenant(attempt.tenantId).updateTable('payment_attempts')
      .set({ pulled_forward_at: databaseNow() }).where('id', '=', attempt.id)
      .where((row) => row.or([row('pulled_forward_at', 'is', null), row('pulled_forward_at', '<=', databaseTimeIn(-everyMs))])).executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  /** The PSP asks to be left alone about this attempt: no reader has it asked before (row A8). */
  async leaveAlone(access: DatabaseAccess, { tenantId, id }: Attempt, forMs: number): Promise<void> {
    await access.forTenant(tenantId).updateTable('payment_attempts').set({ pulled_forward_at: databaseTimeIn(forMs) }).where('id', '=', id).execute();
  }

  /** Keeps a snapshot that could not be applied, so that nothing the PSP told us is lost; null when it was applied. */
  async keepUnapplied(access: DatabaseAccess, tenantId: string, attemptId: string, snapshot: string | null): Promise<void> {
    await access.forTenant(tenantId).updateTable('payment_attempts').set({ unapplied_snapshot: snapshot }).where('id', '=', attemptId).execute();
  }

  async unapplied(access: DatabaseAccess, tenantId: string, attemptId: string): Promise<string | null> {
    const row = await access.forTenant(tenantId).selectFrom('payment_attempts').select('unapplied_snapshot').where('id', '=', attemptId).executeTakeFirst();
    return row?.unapplied_snapshot ?? null;
  }
}
