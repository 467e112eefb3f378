import type { GatewayProfile } from '../gateways/contract/gateway-definition.js';
import type { PaymentSnapshot } from '../gateways/contract/payment-gateway.js';
import { feeOf, totalOf, type FeeParts } from '../shared/fees.js';
import { sameMoney, type Money } from '../shared/money.js';
import type { TicketKind } from '../tickets/ticket.js';
import type { Observed } from './observed.js';
import { isLateCapture, isOpen, next, nextOperation, TERMINAL, type AttemptStatus, type Observation, type PaymentStatus } from './payment-state.js';
import type { Failure } from './failure.js';
import type { Attempt, Payment, PaymentFees } from './payment.js';
import type { Refund, RefundObservation } from './refund.js';

/** What an observation does: the payment and attempt as they are afterwards, and what a person must look at. */
export type Effect = {
  payment: Payment;
  attempt: Attempt;
  /** The refund as it is afterwards, where the observation was of one. */
  refund?: Refund;
  observation: Observation | RefundObservation;
  /** What goes into the history beside the new status. */
  detail: string | null;
  tickets: { kind: TicketKind; evidence: Record<string, unknown> }[];
};

/** The PSP's word for an outcome that two people told in its stead. */
export const RESOLVED = 'resolution';

/** Statuses in which money has moved, or will. */
const CARRIES_MONEY: ReadonlySet<PaymentSnapshot['status']> = new Set<PaymentSnapshot['status']>(['authorized', 'captured']);

/** Observations that bring no word of the PSP's about the payment. */
const NO_EVIDENCE: ReadonlySet<Observation> = new Set<Observation>(['not_done', 'absent', 'unknown', 'schedule_exhausted']);

/**
 * Works out what an observation does to a payment. Pure: whoever calls it holds the payment's row lock and writes the result.
 * `asked` is the attempt that made the payment at the PSP, which shows its id and amount: of a capture or a void not the attempt itself.
 */
export function effectOf(payment: Payment, attempt: Attempt, observed: Observed, profile: GatewayProfile, asked: Attempt = attempt): Effect {
  if (attempt.operation === 'refund') throw new Error('a refund has an effect of its own');
  const mismatch = observed.kind === 'snapshot' ? mismatchOf(asked, observed.snapshot, profile) : null;
  const observation = mismatch === null ? observationOf(observed) : 'mismatch';
  // That a capture or a void had no effect, or was not heard of, says nothing about the payment that it was for; nor does other money beside its own.
  const isNoEvidence = attempt.operation !== 'authorize' && NO_EVIDENCE.has(observation);
  const state = isNoEvidence || (observed.kind === 'snapshot' && isSecond(payment, observed.snapshot)) ? payment.state : next(payment.state, observation);
  const effect: Effect = {
    payment: { ...payment, state }, attempt: { ...attempt, status: nextOperation(attempt.operation, attempt.status, observation) }, observation,
    detail: mismatch ?? detailOf(observed), tickets: [],
  };
  if (observed.kind === 'snapshot') recordSnapshot(effect, payment, { attempt, asked }, observed.snapshot, mismatch);
  if (observed.kind === 'not_done') effect.attempt = { ...effect.attempt, code: observed.failure.code, pspCode: observed.failure.pspCode };
  if (observation === 'schedule_exhausted' && (state.status === 'needs_review' || attempt.operation !== 'authorize')) effect.tickets.push({ kind: 'unresolved_outcome', evidence: {} });
  if (!TERMINAL.has(payment.state.status)) {
    closeOrKeep(effect, failureOf(observed));
    effect.payment = priced(effect.payment);
  }
  keepReserved(effect, attempt.status, asked, profile);
  return effect;
}

function observationOf(observed: Observed): Observation {
  if (observed.kind === 'refund') throw new Error('a payment is told by its own snapshot');
  return observed.kind === 'snapshot' ? observed.snapshot.status : observed.kind;
}

function detailOf(observed: Observed): string | null {
  if (observed.kind === 'unknown') return observed.detail;
  if (observed.kind === 'not_done') return observed.failure.message;
  return observed.kind === 'snapshot' && observed.snapshot.status === 'declined' ? observed.snapshot.decline.code : null;
}

/** Names what differs from what was asked, or null. An answer about money must show our reference where the PSP shows it at all (architecture §4). */
function mismatchOf(attempt: Attempt, snapshot: PaymentSnapshot, profile: GatewayProfile): string | null {
  if (isForeign(attempt, snapshot)) return 'the PSP shows another reference';
  if (!CARRIES_MONEY.has(snapshot.status)) return null;
  if (snapshot.ourReference === null && profile.echoesOurReference) return 'the PSP does not show our reference';
  if (snapshot.amount === null) return 'the PSP shows no amount';
  return sameMoney(snapshot.amount, attempt.amount) ? null : 'the PSP shows another amount or currency';
}

function isForeign(attempt: Attempt, { ourReference }: PaymentSnapshot): boolean {
  return ourReference !== null && ourReference !== attempt.id;
}

function recordSnapshot(effect: Effect, payment: Payment, { attempt, asked }: { attempt: Attempt; asked: Attempt }, snapshot: PaymentSnapshot, mismatch: string | null): void {
  effect.attempt = {
    ...effect.attempt,
    // The reference of what is not ours would lead every later look-up astray.
    gatewayReference: isForeign(asked, snapshot) || isSecond(payment, snapshot) ? attempt.gatewayReference : snapshot.reference ?? attempt.gatewayReference,
    pspCode: snapshot.status === 'declined' ? snapshot.decline.pspCode : snapshot.pspCode ?? attempt.pspCode,
    code: snapshot.status === 'declined' ? snapshot.decline.code : null,
  };
  if (mismatch !== null) {
    const shown = { reference: snapshot.reference, ourReference: snapshot.ourReference, amountMinor: snapshot.amount?.amountMinor.toString(), currency: snapshot.amount?.currency };
    effect.tickets.push({ kind: 'mismatch', evidence: { ...shown, detail: mismatch } });
    return;
  }
  const evidence = { reference: snapshot.reference };
  if (snapshot.status === 'pending' && snapshot.unmapped !== undefined) effect.tickets.push({ kind: 'unmapped_status', evidence: { ...evidence, word: snapshot.unmapped } });
  if (payment.state.status === 'authorized' && snapshot.status === 'captured' && payment.pendingOperation !== 'capture' && !isSecond(payment, snapshot)) effect.tickets.push({ kind: 'captured_unasked', evidence });
  if (snapshot.isDisputed === true) effect.tickets.push({ kind: 'chargeback', evidence });
  if (isCorrection(payment, attempt, snapshot)) {
    effect.payment = { ...effect.payment, gatewayReference: snapshot.reference };
    effect.attempt = { ...effect.attempt, gatewayReference: snapshot.reference };
    effect.tickets.push({ kind: 'mismatch', evidence: { ...evidence, detail: `the PSP has the money under another reference than two people named: ${payment.gatewayReference}` } });
    return;
  }
  if (isContradiction(payment, snapshot)) effect.tickets.push({ kind: 'mismatch', evidence: { ...evidence, detail: `the PSP shows a payment as ${snapshot.status} that is captured here` } });
  if (isDenied(payment, snapshot) || (attempt.operation === 'authorize' && (isLate(payment, attempt, snapshot) || isSecond(payment, snapshot)))) effect.tickets.push({ kind: 'late_capture', evidence });
  const duplicates = (snapshot.duplicates ?? []).filter((reference) => reference !== payment.gatewayReference);
  if (duplicates.length > 0) effect.tickets.push({ kind: 'duplicate_charge', evidence: { ...evidence, duplicates } });
  // A terminal payment does not move, whatever a look-up shows (row A16).
  if (!TERMINAL.has(payment.state.status) && !isSecond(payment, snapshot)) effect.payment = { ...effect.payment, ...factsOf(payment, attempt, snapshot) };
}

/** Statuses in which the payment stands on money under a reference of its own. */
const STANDS_ON_MONEY: ReadonlySet<PaymentStatus> = new Set<PaymentStatus>(['authorized', 'captured']);

/** Money beside the money that the payment stands on. */
function isSecond({ state, gatewayReference }: Payment, { status, reference }: PaymentSnapshot): boolean {
  return STANDS_ON_MONEY.has(state.status) && CARRIES_MONEY.has(status) && reference !== null && gatewayReference !== null && reference !== gatewayReference;
}

/** Money that moved for an attempt that was closed as not done, after the payment had ended without it; of one that failed any money that is there. */
function isLate({ state }: Payment, attempt: Attempt, snapshot: PaymentSnapshot): boolean {
  if (state.status === 'failed' && (snapshot.status === 'authorized' || isKept(snapshot))) return true;
  return isLateCapture(attempt.status, snapshot.status) && TERMINAL.has(state.status) && state.status !== 'captured';
}

/** Taken, and not wholly given back. */
function isKept({ status, captured, amount, refunded }: PaymentSnapshot): boolean {
  return status === 'captured' && (refunded?.amountMinor ?? 0n) < ((captured ?? amount)?.amountMinor ?? 0n);
}

/** Two people said under which reference the money is, and the PSP says otherwise: it is the same money (resolutions.ts). */
function isCorrection({ state, gatewayReference }: Payment, { operation, pspCode }: Attempt, { status, reference }: PaymentSnapshot): boolean {
  return operation === 'authorize' && state.status === 'captured' && pspCode === RESOLVED && status === 'captured' && reference !== null && reference !== gatewayReference;
}

/** The PSP denies money that was called captured: after a look-up that lags no more, that is for people. */
function isContradiction({ state, gatewayReference }: Payment, { status, reference }: PaymentSnapshot): boolean {
  return state.status === 'captured' && ['declined', 'voided', 'expired'].includes(status) && reference !== null && reference === gatewayReference;
}

/** Money that was taken although the payment was called voided or expired, and is not back. */
function isDenied({ state }: Payment, snapshot: PaymentSnapshot): boolean {
  return (state.status === 'voided' || state.status === 'expired') && isKept(snapshot);
}

/** Whether the PSP shows that money has moved, or will. */
export function carriesMoney(observed: Observed): boolean {
  return observed.kind === 'snapshot' && CARRIES_MONEY.has(observed.snapshot.status);
}

function factsOf(payment: Payment, attempt: Attempt, snapshot: PaymentSnapshot): Partial<Payment> {
  return {
    gateway: attempt.gateway,
    gatewayReference: snapshot.reference ?? payment.gatewayReference,
    capturedMinor: snapshot.status === 'captured' ? (snapshot.captured ?? snapshot.amount ?? attempt.amount).amountMinor : payment.capturedMinor,
    authorizationCode: snapshot.authorizationCode ?? payment.authorizationCode,
    fraudScore: snapshot.fraudScore ?? payment.fraudScore,
    fees: snapshot.fee === undefined ? payment.fees
      : { fee: snapshot.fee.amountMinor, breakdown: snapshot.feeBreakdown ?? null, net: snapshot.net?.amountMinor ?? null, source: 'psp' },
    method: payment.method === null ? null : { ...payment.method, ...snapshot.card },
    nextAction: snapshot.status === 'requires_action' ? { ...snapshot.action, gateway: attempt.gateway } : null,
  };
}

function failureOf(observed: Observed): Failure | null {
  if (observed.kind === 'not_done') return observed.failure;
  if (observed.kind === 'absent') return { code: 'gateway_unavailable', pspCode: null, message: 'The gateway never received the payment.', retryable: true };
  if (observed.kind !== 'snapshot' || observed.snapshot.status !== 'declined') return null;
  const { code, pspCode, message, retryable } = observed.snapshot.decline;
  return { code, pspCode, message, retryable };
}

/** How long money stays reserved, and whether an operation on it is still open. */
function keepReserved(effect: Effect, before: AttemptStatus, asked: Attempt, { authorizationLifetimeMs }: GatewayProfile): void {
  const { payment, attempt } = effect;
  const isReserved = payment.state.status === 'authorized';
  const until = authorizationLifetimeMs === null ? null : new Date(asked.sentAt.getTime() + authorizationLifetimeMs);
  const isOver = TERMINAL.has(payment.state.status) || (attempt.operation !== 'authorize' && isOpen(before) && !isOpen(attempt.status));
  effect.payment = {
    ...payment,
    authorizationExpiresAt: isReserved ? payment.authorizationExpiresAt ?? until : null,
    pendingOperation: isOver ? null : payment.pendingOperation,
  };
}

/** What a captured payment cost: as the PSP says, else by the fee table; and what another provider would have taken more. */
function priced(payment: Payment): Payment {
  if (payment.state.status !== 'captured') return payment;
  const captured = { ...payment.amount, amountMinor: payment.capturedMinor };
  const { fees: rule = null, reference = null } = payment.plan?.pricing ?? {};
  const fees = payment.fees ?? (rule === null ? null : tableFees(captured, feeOf(captured, rule)));
  return { ...payment, fees, savingsMinor: fees === null || reference === null ? null : totalOf(feeOf(captured, reference)) - fees.fee };
}

function tableFees({ amountMinor }: Money, breakdown: FeeParts): PaymentFees {
  const fee = totalOf(breakdown);
  return { fee, breakdown, net: amountMinor - fee, source: 'table' };
}

/** A payment that has become final needs no token, no action and no exclusive reference unless it lives on; a failed one says why. */
function closeOrKeep(effect: Effect, failure: Failure | null): void {
  const { status } = effect.payment.state;
  if (!TERMINAL.has(status)) return;
  const lives = status === 'captured';
  const expired: Failure = { code: 'expired', pspCode: null, message: 'The payment was not completed in time.', retryable: false };
  effect.payment = {
    ...effect.payment, tokensSealed: null, nextAction: null,
    uniqueReference: lives ? effect.payment.uniqueReference : null,
    // What was not taken costs nothing, whatever was announced.
    fees: lives ? effect.payment.fees : null,
    failure: status === 'failed' ? failure : status === 'expired' ? expired : null,
  };
}
