/** Where a payment stands (design/api.md). */
export const PAYMENT_STATUSES = [
  'created', 'requires_action', 'processing', 'authorized', 'captured', 'failed', 'voided', 'expired', 'needs_review',
] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

export type ProcessingReason = 'in_flight' | 'pending_at_gateway' | 'outcome_unknown' | 'queued';

/** Where one call to a PSP stands. `failed`: surely not done. */
export type AttemptStatus = 'sent' | 'pending' | 'requires_action' | 'succeeded' | 'declined' | 'failed' | 'unknown';

/** What made a payment move. */
export type TransitionCause = 'request' | 'reply' | 'look_up' | 'webhook' | 'look_over' | 'takeover' | 'schedule' | 'people';

/** What a call asks of a PSP. A sale is one `authorize` that captures by itself. */
export type AttemptOperation = 'authorize' | 'capture' | 'void' | 'refund';

/**
 * What can be learnt about a payment:
 * - `sent`: we are about to call a PSP.
 * - the six statuses of a snapshot.
 * - `not_done`: the call surely had no effect.
 * - `absent`: asked twice after the call could no longer happen, the PSP shows none.
 * - `unknown`: bytes went out and no certain answer came.
 * - `mismatch`: the PSP shows something else than we asked for.
 * - `schedule_exhausted`: the whole look-up schedule brought no evidence.
 * - `withdrawn`: the merchant takes it back before any money is reserved.
 * - `time_out`: our own deadline for an unconfirmed payment has passed.
 */
export const OBSERVATIONS = [
  'sent', 'authorized', 'captured', 'pending', 'requires_action', 'declined', 'voided', 'expired', 'not_done', 'absent', 'unknown', 'mismatch',
  'schedule_exhausted', 'withdrawn', 'time_out',
] as const;
export type Observation = (typeof OBSERVATIONS)[number];

/** A payment that has got here never moves again, except by refunds, disputes or two people. */
export const TERMINAL: ReadonlySet<PaymentStatus> = new Set<PaymentStatus>(['captured', 'failed', 'voided', 'expired']);

const stay = null;

/** Every pair of status and observation, and the status that follows; `stay` where the observation changes nothing. */
const NEXT: Record<PaymentStatus, Record<Observation, PaymentStatus | typeof stay>> = {
  created: {
    sent: 'processing', withdrawn: 'voided', time_out: 'expired',
    authorized: stay, captured: stay, pending: stay, requires_action: stay, declined: stay, voided: stay, expired: stay,
    not_done: stay, absent: stay, unknown: stay, mismatch: stay, schedule_exhausted: stay,
  },
  processing: {
    authorized: 'authorized', captured: 'captured', requires_action: 'requires_action', declined: 'failed', voided: 'voided', expired: 'expired',
    not_done: 'failed', absent: 'failed', mismatch: 'needs_review', schedule_exhausted: 'needs_review',
    sent: stay, pending: stay, unknown: stay, withdrawn: stay, time_out: stay,
  },
  requires_action: {
    sent: 'processing', authorized: 'authorized', captured: 'captured', pending: 'processing', declined: 'failed', voided: 'voided', expired: 'expired',
    // Nothing exists at the PSP and the token is dead.
    absent: 'expired', mismatch: 'needs_review', schedule_exhausted: 'needs_review', withdrawn: 'voided',
    requires_action: stay, not_done: stay, unknown: stay, time_out: stay,
  },
  // A look-up may show less than was known before (row A16): only what lies ahead moves it.
  authorized: {
    captured: 'captured', voided: 'voided', expired: 'expired', mismatch: 'needs_review',
    sent: stay, authorized: stay, pending: stay, requires_action: stay, declined: stay, not_done: stay, absent: stay, unknown: stay,
    schedule_exhausted: stay, withdrawn: stay, time_out: stay,
  },
  // Parked for people, but evidence that comes late still resolves it; and what the PSP has not ended is waited for again.
  needs_review: {
    authorized: 'authorized', captured: 'captured', requires_action: 'requires_action', pending: 'processing', declined: 'failed', voided: 'voided', expired: 'expired', not_done: 'failed', absent: 'failed',
    sent: stay, unknown: stay, mismatch: stay, schedule_exhausted: stay, withdrawn: stay, time_out: stay,
  },
  captured: stayAlways(),
  failed: stayAlways(),
  voided: stayAlways(),
  expired: stayAlways(),
};

function stayAlways(): Record<Observation, typeof stay> {
  return Object.fromEntries(OBSERVATIONS.map((observation) => [observation, stay])) as Record<Observation, typeof stay>;
}

const REASON: Partial<Record<Observation, ProcessingReason>> = { sent: 'in_flight', pending: 'pending_at_gateway', unknown: 'outcome_unknown' };

export type PaymentState = { status: PaymentStatus; processingReason: ProcessingReason | null };

/** Where a payment stands after an observation; the same state when the observation changes nothing. Pure. */
export function next(current: PaymentState, observation: Observation): PaymentState {
  const status = NEXT[current.status][observation] ?? current.status;
  if (status !== 'processing') return { status, processingReason: null };
  const reason = REASON[observation] ?? current.processingReason;
  // "Pending at the PSP" is knowledge; a call that brought no answer does not take it away.
  const known = current.processingReason === 'pending_at_gateway' && observation === 'unknown';
  return { status, processingReason: known ? current.processingReason : reason };
}

const ATTEMPT: Record<Observation, AttemptStatus> = {
  sent: 'sent', authorized: 'succeeded', captured: 'succeeded', voided: 'succeeded', pending: 'pending', requires_action: 'requires_action',
  declined: 'declined', expired: 'failed', not_done: 'failed', absent: 'failed', unknown: 'unknown', mismatch: 'unknown',
  schedule_exhausted: 'unknown', withdrawn: 'failed', time_out: 'failed',
};

const CLOSED_ATTEMPT: ReadonlySet<AttemptStatus> = new Set<AttemptStatus>(['succeeded', 'declined', 'failed']);

/** Where an attempt stands after an observation. A closed attempt stays closed, except that money which moved after all is never denied. */
export function nextAttempt(current: AttemptStatus, observation: Observation): AttemptStatus {
  const moneyMoved = observation === 'authorized' || observation === 'captured';
  if (CLOSED_ATTEMPT.has(current) && !moneyMoved) return current;
  if ((current === 'pending' || current === 'requires_action') && observation === 'unknown') return current;
  return ATTEMPT[observation];
}

/** Money moved for an attempt that was closed as not done. */
export function isLateCapture(attempt: AttemptStatus, observation: Observation): boolean {
  return (attempt === 'failed' || attempt === 'declined') && (observation === 'authorized' || observation === 'captured');
}

/** Where an attempt to capture or to void stands after an observation of the payment. `authorized` alone says nothing: the call may still be on its way. */
const OPERATION: Record<'capture' | 'void', Record<Observation, AttemptStatus>> = {
  capture: { ...ATTEMPT, authorized: 'unknown', requires_action: 'unknown', pending: 'unknown', captured: 'succeeded', voided: 'failed', expired: 'failed', declined: 'failed' },
  void: { ...ATTEMPT, authorized: 'unknown', requires_action: 'unknown', pending: 'unknown', captured: 'failed', voided: 'succeeded', expired: 'failed', declined: 'failed' },
};

/** Where an attempt of any operation stands after an observation. A closed one stays closed. */
export function nextOperation(operation: Exclude<AttemptOperation, 'refund'>, current: AttemptStatus, observation: Observation): AttemptStatus {
  if (operation === 'authorize') return nextAttempt(current, observation);
  return CLOSED_ATTEMPT.has(current) ? current : OPERATION[operation][observation];
}

/** Whether the PSP is still to be asked about an attempt. */
export function isOpen(status: AttemptStatus): boolean {
  return !CLOSED_ATTEMPT.has(status);
}
