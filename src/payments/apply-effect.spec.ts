import { describe, expect, it } from '@jest/globals';
import type { GatewayProfile } from '../gateways/contract/gateway-definition.js';
import type { PaymentSnapshot } from '../gateways/contract/payment-gateway.js';
import { money } from '../shared/money.js';
import { effectOf } from './apply-effect.js';
import { consequencesOf } from './follow-ups.js';
import type { Observed } from './observed.js';
import type { Attempt, Payment } from './payment.js';
import { effectOn } from './record-effect.js';

const profile: GatewayProfile = {
  methods: ['card'], captureMethods: ['automatic'], limits: {}, installmentsMax: 1, capturesPartially: false, honoursIdempotencyKey: false, tellsRefundsApart: false, echoesOurReference: true, lookupLagMs: 0, tokenLifetimeMs: 0, authorizationLifetimeMs: null,
};
const now = new Date('2026-11-24T00:00:00Z');
const asked = money(12_900n, 'PEN');

const attempt: Attempt = {
  id: 'att_1', tenantId: 'ten_1', paymentId: 'pay_1', gateway: 'culqi', gatewayAccountId: 'gwa_1', operation: 'authorize', status: 'sent', amount: asked,
  refundId: null, returnsAttemptId: null, gatewayReference: null, code: null, pspCode: null, latencyMs: null, sentAt: now, deadlineAt: now, lookUps: 0, nextLookUpAt: null, firstAbsentAt: null, answer: null, createdAt: now,
};
const payment: Payment = {
  id: 'pay_1', tenantId: 'ten_1', version: 2, state: { status: 'processing', processingReason: 'in_flight' }, pendingOperation: null, authorizationExpiresAt: null, amount: asked, savingsMinor: null, refundCount: 0, threeDs: null, capturedMinor: 0n, fees: null,
  captureMethod: 'automatic', gateway: 'culqi', gatewayReference: null, authorizationCode: null, fraudScore: null, reference: 'R', uniqueReference: 'R', description: null,
  returnUrl: null, customerId: null, customer: { email: 'ana@ejemplo.pe' }, metadata: {}, method: { type: 'card', installments: 1 }, tokensSealed: 'v1.sealed', nextAction: null, failure: null,
  plan: null, expiresAt: null, createdAt: now, updatedAt: now,
};

function captured(changes: Partial<PaymentSnapshot> = {}): PaymentSnapshot {
  return { status: 'captured', reference: 'chr_1', ourReference: 'att_1', amount: asked, captured: asked, refunded: null, raw: null, ...changes } as PaymentSnapshot;
}

describe('a capture that the PSP shows as asked', () => {
  const { payment: after, attempt: closed, tickets } = effectOf(payment, attempt, { kind: 'snapshot', snapshot: captured() }, profile);

  it('captures the payment and closes the attempt', () => {
    expect(after).toMatchObject({ state: { status: 'captured', processingReason: null }, capturedMinor: 12_900n, gatewayReference: 'chr_1' });
    expect(closed).toMatchObject({ status: 'succeeded', gatewayReference: 'chr_1' });
    expect(tickets).toEqual([]);
  });

  it('purges the tokens and keeps the reference exclusive', () => {
    expect(after.tokensSealed).toBeNull();
    expect(after.uniqueReference).toBe('R');
  });
});

describe('an answer about money that differs from what was asked (A11)', () => {
  it.each([
    ['another amount', { amount: money(12_901n, 'PEN') }],
    ['another currency', { amount: money(12_900n, 'USD') }],
    ['no amount', { amount: null }],
    ['another reference', { ourReference: 'att_2' }],
    ['no reference of ours', { ourReference: null }],
  ])('with %s is never a success, and a person must look', (_difference, changes) => {
    const effect = effectOf(payment, attempt, { kind: 'snapshot', snapshot: captured(changes) }, profile);
    expect(effect.payment.state.status).toBe('needs_review');
    expect(effect.payment.capturedMinor).toBe(0n);
    expect(effect.tickets).toMatchObject([{ kind: 'mismatch' }]);
  });
});

it('the reference of a charge that is not ours is not kept', () => {
  expect(effectOf(payment, attempt, { kind: 'snapshot', snapshot: captured({ ourReference: 'att_2' }) }, profile).attempt.gatewayReference).toBeNull();
});

describe('what a person must look at', () => {
  it('is money that moved for an attempt that was closed; the payment does not move', () => {
    const failed = { ...payment, state: { status: 'failed' as const, processingReason: null } };
    const effect = effectOf(failed, { ...attempt, status: 'failed' }, { kind: 'snapshot', snapshot: captured() }, profile);
    expect(effect.payment).toEqual(failed);
    expect(effect.attempt).toMatchObject({ status: 'succeeded', gatewayReference: 'chr_1' });
    expect(effect.tickets).toMatchObject([{ kind: 'late_capture' }]);
  });

  it.each(['requires_action', 'pending', 'succeeded', 'failed'] as const)('is money that is there for a payment that failed, where its attempt is %s', (status) => {
    const failed = { ...payment, state: { status: 'failed' as const, processingReason: null } };
    const ticketsOf = (snapshot: PaymentSnapshot) => effectOf(failed, { ...attempt, status, gatewayReference: 'chr_1' }, { kind: 'snapshot', snapshot }, profile).tickets.map(({ kind }) => kind);
    expect([ticketsOf(captured()), ticketsOf(captured({ status: 'authorized' }))]).toEqual([['late_capture'], ['late_capture']]);
    if (status !== 'failed') expect(ticketsOf(captured({ refunded: asked }))).toEqual([]);
  });

  it('is a second charge of the same attempt', () => {
    const effect = effectOf(payment, attempt, { kind: 'snapshot', snapshot: captured({ duplicates: ['chr_2'] }) }, profile);
    expect(effect.payment.state.status).toBe('captured');
    expect(effect.tickets).toMatchObject([{ kind: 'duplicate_charge', evidence: { duplicates: ['chr_2'] } }]);
  });

  it('is a word of the PSP that no table has: the payment waits', () => {
    const snapshot = { ...captured(), status: 'pending', unmapped: 'in_mediation' } as PaymentSnapshot;
    const effect = effectOf(payment, attempt, { kind: 'snapshot', snapshot }, profile);
    expect(effect.payment.state).toEqual({ status: 'processing', processingReason: 'pending_at_gateway' });
    expect(effect.tickets).toMatchObject([{ kind: 'unmapped_status', evidence: { word: 'in_mediation' } }]);
  });

  it('is a schedule that brought no evidence', () => {
    const effect = effectOf(payment, attempt, { kind: 'schedule_exhausted' }, profile);
    expect(effect.payment.state.status).toBe('needs_review');
    expect(effect.tickets).toMatchObject([{ kind: 'unresolved_outcome' }]);
  });
});

describe('a payment in review', () => {
  const parked = { ...payment, state: { status: 'needs_review' as const, processingReason: null } };

  it.each(['unknown', 'failed', 'declined'] as const)('whose money shows after all is captured with it, and nothing goes back, whatever its attempt was called (%s)', (status) => {
    const effect = effectOf(parked, { ...attempt, status }, { kind: 'snapshot', snapshot: captured() }, profile);
    expect(effect.payment).toMatchObject({ state: { status: 'captured' }, gatewayReference: 'chr_1' });
    expect(effect.tickets).toEqual([]);
  });

  it.each<[string, Observed]>([['absent', { kind: 'absent' }], ['surely not done', { kind: 'not_done', failure: { code: 'gateway_unavailable', pspCode: null, message: 'away', retryable: true } }]])('that is shown to be %s is failed: its attempt is not closed alone', (_what, observed) => {
    const effect = effectOf(parked, { ...attempt, status: 'unknown' }, observed, profile);
    expect([effect.payment.state.status, effect.attempt.status]).toEqual(['failed', 'failed']);
  });

  it('that the PSP shows as pending is waited for again', () => {
    const effect = effectOf(parked, { ...attempt, status: 'unknown' }, { kind: 'snapshot', snapshot: { ...captured(), status: 'pending' } as PaymentSnapshot }, profile);
    expect(effect.payment.state).toEqual({ status: 'processing', processingReason: 'pending_at_gateway' });
  });
});

describe('money beside the money that a payment stands on', () => {
  const standing = (status: 'authorized' | 'captured', changes: object = {}) => ({ ...payment, state: { status, processingReason: null }, gatewayReference: 'chr_1', ...changes });

  it.each(['authorized', 'captured'] as const)('goes back, and the %s payment stays where it stands', (status) => {
    const effect = effectOf(standing(status), { ...attempt, status: 'succeeded', gatewayReference: 'chr_1' }, { kind: 'snapshot', snapshot: captured({ reference: 'chr_2' }) }, profile);
    expect(effect.payment).toMatchObject({ state: { status }, gatewayReference: 'chr_1' });
    expect(effect.attempt.gatewayReference).toBe('chr_1');
    expect(effect.tickets).toMatchObject([{ kind: 'late_capture', evidence: { reference: 'chr_2' } }]);
  });

  it('is never the money that it stands on: one look saw both, another came before it', () => {
    const effect = effectOf(standing('captured', { gatewayReference: 'chr_2' }), { ...attempt, status: 'succeeded', gatewayReference: 'chr_2' }, { kind: 'snapshot', snapshot: captured({ duplicates: ['chr_2', 'chr_3'] }) }, profile);
    expect(effect.tickets).toMatchObject([{ kind: 'late_capture', evidence: { reference: 'chr_1' } }, { kind: 'duplicate_charge', evidence: { duplicates: ['chr_3'] } }]);
    const followUps = consequencesOf({ payment: effect.payment, attempts: [effect.attempt], refunds: [] }, effect.attempt, { kind: 'snapshot', snapshot: captured({ duplicates: ['chr_2', 'chr_3'] }) }, effect);
    expect(followUps).toEqual([{ kind: 'return', attemptId: 'att_1', reference: 'chr_1' }, { kind: 'return', attemptId: 'att_1', reference: 'chr_3' }]);
    const own = { ...effect, tickets: [{ kind: 'late_capture' as const, evidence: { reference: 'chr_2' } }] };
    expect(consequencesOf({ payment: effect.payment, attempts: [effect.attempt], refunds: [] }, effect.attempt, { kind: 'absent' }, own)).toEqual([]);
  });

  it('is the same money where two people said under which reference it is, and erred', () => {
    const effect = effectOf(standing('captured', { gatewayReference: 'chr_x' }), { ...attempt, status: 'succeeded', pspCode: 'resolution', gatewayReference: 'chr_x' }, { kind: 'snapshot', snapshot: captured({ pspCode: 'venta_exitosa' }) }, profile);
    expect([effect.payment.gatewayReference, effect.attempt]).toMatchObject(['chr_1', { gatewayReference: 'chr_1', pspCode: 'venta_exitosa' }]);
    expect(effect.tickets).toMatchObject([{ kind: 'mismatch', evidence: { reference: 'chr_1', detail: expect.stringContaining('chr_x') } }]);
  });

  it.each(['declined', 'voided', 'expired'] as const)('that was captured and is %s at the PSP now is for people', (status) => {
    const snapshot = { ...captured(), status, decline: { code: 'card_declined', pspCode: 'x', message: 'x', retryable: false } } as PaymentSnapshot;
    const effect = effectOf(standing('captured'), { ...attempt, status: 'succeeded', gatewayReference: 'chr_1' }, { kind: 'snapshot', snapshot }, profile);
    expect([effect.payment.state.status, effect.tickets]).toMatchObject(['captured', [{ kind: 'mismatch' }]]);
  });

  it('that the customer\'s bank wants back is a ticket, and moves nothing', () => {
    const effect = effectOf(standing('captured'), { ...attempt, status: 'succeeded', gatewayReference: 'chr_1' }, { kind: 'snapshot', snapshot: captured({ isDisputed: true }) }, profile);
    expect([effect.payment.state.status, effect.tickets]).toMatchObject(['captured', [{ kind: 'chargeback', evidence: { reference: 'chr_1' } }]]);
  });
});

describe('a payment that ends without money', () => {
  it('says why it was declined and frees its reference and tokens', () => {
    const decline = { code: 'insufficient_funds' as const, pspCode: 'insufficient_funds', message: 'No funds', retryable: false };
    const snapshot: PaymentSnapshot = { status: 'declined', decline, reference: 'chr_1', ourReference: null, amount: null, captured: null, refunded: null, raw: null };
    const { payment: after, attempt: closed } = effectOf(payment, attempt, { kind: 'snapshot', snapshot }, profile);
    expect(after).toMatchObject({ state: { status: 'failed' }, failure: { code: 'insufficient_funds' }, uniqueReference: null, tokensSealed: null });
    expect(closed).toMatchObject({ status: 'declined', code: 'insufficient_funds' });
  });

  it('is failed when the PSP shows none, and expired when it waited for the customer', () => {
    expect(effectOf(payment, attempt, { kind: 'absent' }, profile).payment).toMatchObject({ state: { status: 'failed' }, failure: { code: 'gateway_unavailable', retryable: true } });
    const waiting = { ...payment, state: { status: 'requires_action' as const, processingReason: null } };
    expect(effectOf(waiting, attempt, { kind: 'absent' }, profile).payment).toMatchObject({ state: { status: 'expired' }, failure: { code: 'expired' } });
  });
});

describe('an outcome that is not known', () => {
  it('keeps the payment processing, with its tokens and without a failure', () => {
    const effect = effectOf(payment, attempt, { kind: 'unknown', detail: 'reset' }, profile);
    expect(effect.payment).toMatchObject({ state: { status: 'processing', processingReason: 'outcome_unknown' }, failure: null, tokensSealed: 'v1.sealed' });
    expect(effect.attempt.status).toBe('unknown');
  });
});

describe('reserved money', () => {
  const culqiLike: GatewayProfile = { ...profile, captureMethods: ['automatic', 'manual'], authorizationLifetimeMs: 4 * 86_400_000 };
  const until = new Date(now.getTime() + 4 * 86_400_000);
  const authorized: Payment = { ...payment, state: { status: 'authorized', processingReason: null }, captureMethod: 'manual', gatewayReference: 'chr_1', authorizationExpiresAt: until };
  const made: Attempt = { ...attempt, status: 'succeeded', gatewayReference: 'chr_1' };
  const operation = (of: 'capture' | 'void'): { payment: Payment; attempt: Attempt } => ({
    payment: { ...authorized, pendingOperation: of }, attempt: { ...attempt, id: 'att_2', operation: of, status: 'sent', gatewayReference: 'chr_1' },
  });
  const shown = (status: 'authorized' | 'captured' | 'voided', changes: Partial<PaymentSnapshot> = {}): { kind: 'snapshot'; snapshot: PaymentSnapshot } =>
    ({ kind: 'snapshot', snapshot: { ...captured(changes), status, captured: status === 'captured' ? asked : null } });

  it('is reserved until the PSP lets go of it', () => {
    const effect = effectOf(payment, attempt, shown('authorized'), culqiLike);
    expect(effect.payment).toMatchObject({ state: { status: 'authorized' }, authorizationExpiresAt: until, capturedMinor: 0n, tokensSealed: 'v1.sealed' });
  });

  it.each(['capture', 'void'] as const)('a %s carries the id and amount of the attempt that reserved it, and is judged by them', (of) => {
    const { payment: before, attempt: call } = operation(of);
    const effect = effectOf(before, call, shown(of === 'capture' ? 'captured' : 'voided'), culqiLike, made);
    expect(effect).toMatchObject({ payment: { state: { status: of === 'capture' ? 'captured' : 'voided' }, pendingOperation: null, authorizationExpiresAt: null }, attempt: { status: 'succeeded' }, tickets: [] });
    const foreign = effectOf(before, call, shown('captured', { ourReference: 'att_9' }), culqiLike, made);
    expect(foreign).toMatchObject({ payment: { state: { status: 'needs_review' }, capturedMinor: 0n }, tickets: [{ kind: 'mismatch' }] });
  });

  it.each(['capture', 'void'] as const)('stays reserved while it is not known what became of a %s', (of) => {
    const { payment: before, attempt: call } = operation(of);
    for (const observed of [{ kind: 'unknown', detail: 'x' } as const, shown('authorized')]) {
      expect(effectOf(before, call, observed, culqiLike, made)).toMatchObject({ payment: { state: { status: 'authorized' }, pendingOperation: of }, attempt: { status: 'unknown' } });
    }
  });

  it.each(['capture', 'void'] as const)('is free for the next operation once a %s was surely not done', (of) => {
    const { payment: before, attempt: call } = operation(of);
    const failure = { code: 'gateway_unavailable', pspCode: null, message: 'x', retryable: true } as const;
    for (const observed of [{ kind: 'not_done', failure } as const, { kind: 'absent' } as const]) {
      expect(effectOf(before, call, observed, culqiLike, made)).toMatchObject({ payment: { state: { status: 'authorized' }, pendingOperation: null, failure: null }, attempt: { status: 'failed' } });
    }
  });

  it('a person hears of an operation that no look-up could explain', () => {
    const { payment: before, attempt: call } = operation('capture');
    expect(effectOf(before, { ...call, status: 'unknown' }, { kind: 'schedule_exhausted' }, culqiLike, made)).toMatchObject({ payment: { state: { status: 'authorized' }, pendingOperation: 'capture' }, tickets: [{ kind: 'unresolved_outcome' }] });
  });

  it('that the PSP takes by itself is captured, and a person hears of it', () => {
    expect(effectOf(authorized, made, shown('captured'), culqiLike)).toMatchObject({ payment: { state: { status: 'captured' }, capturedMinor: 12_900n }, tickets: [{ kind: 'captured_unasked' }] });
    const { payment: before, attempt: call } = operation('void');
    expect(effectOf(before, call, shown('captured'), culqiLike, made)).toMatchObject({ payment: { state: { status: 'captured' }, pendingOperation: null }, attempt: { status: 'failed' }, tickets: [{ kind: 'captured_unasked' }] });
  });
});

describe('money beside the money that a payment was captured with', () => {
  const paid: Payment = { ...payment, state: { status: 'captured', processingReason: null }, gatewayReference: 'chr_0', capturedMinor: 12_900n };

  it('is a ticket, and moves nothing', () => {
    const { payment: after, tickets } = effectOf(paid, attempt, { kind: 'snapshot', snapshot: captured() }, profile);
    expect([after, tickets.map(({ kind }) => kind)]).toEqual([paid, ['late_capture']]);
  });

  it('is none when it is the same', () => {
    expect(effectOf({ ...paid, gatewayReference: 'chr_1' }, attempt, { kind: 'snapshot', snapshot: captured() }, profile).tickets).toEqual([]);
  });
});

describe('an attempt after which the payment went on with another (3-D Secure)', () => {
  const record = { payment, attempts: [{ ...attempt, status: 'requires_action' as const }, { ...attempt, id: 'att_2' }], refunds: [] };
  const first = { ...attempt, status: 'requires_action' as const };

  it('ends nothing of the payment by what it still tells', () => {
    for (const observed of [{ kind: 'absent' }, { kind: 'schedule_exhausted' }, { kind: 'unknown', detail: 'cut' }] as const) {
      expect(effectOn(record, { observed, attempt: first }, profile).payment).toBe(payment);
    }
    expect(effectOn({ ...record, attempts: [first] }, { observed: { kind: 'absent' }, attempt: first }, profile).payment.state.status).toBe('failed');
  });

  it('is believed all the same when money moved', () => {
    expect(effectOn(record, { observed: { kind: 'snapshot', snapshot: captured() }, attempt: first }, profile).payment.state.status).toBe('captured');
  });
});

describe('a look at what is over', () => {
  it('does not let go of the operation in flight', () => {
    const first: Attempt = { ...attempt, id: 'att_2', operation: 'capture', status: 'failed', gatewayReference: 'chr_1' };
    const reserved: Payment = { ...payment, state: { status: 'authorized', processingReason: null }, pendingOperation: 'capture', gatewayReference: 'chr_1' };
    const record = { payment: reserved, attempts: [{ ...attempt, status: 'succeeded' as const, gatewayReference: 'chr_1' }, first, { ...first, id: 'att_3', status: 'sent' as const }], refunds: [] };
    expect(effectOf(reserved, first, { kind: 'unknown', detail: 'cut' }, profile).payment.pendingOperation).toBe('capture');
    expect(effectOn(record, { observed: { kind: 'unknown', detail: 'cut' }, attempt: first }, profile).payment.pendingOperation).toBe('capture');
  });

  it.each(['voided', 'expired'] as const)('raises a ticket when it shows money taken for a payment that is %s', (status) => {
    const over: Payment = { ...payment, state: { status, processingReason: null }, gatewayReference: 'chr_1' };
    const made: Attempt = { ...attempt, status: 'succeeded', gatewayReference: 'chr_1' };
    expect(effectOf(over, made, { kind: 'snapshot', snapshot: captured() }, profile).tickets).toMatchObject([{ kind: 'late_capture' }]);
    expect(effectOf(over, made, { kind: 'snapshot', snapshot: captured({ refunded: asked }) }, profile).tickets).toEqual([]);
  });
});
