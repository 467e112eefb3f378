import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  isLateCapture, isOpen, next, nextAttempt, nextOperation, OBSERVATIONS, PAYMENT_STATUSES, TERMINAL, type AttemptStatus, type Observation, type PaymentState, type PaymentStatus,
} from './payment-state.js';

const states = fc.constantFrom(...PAYMENT_STATUSES).chain((status) => fc.record({
  status: fc.constant(status),
  processingReason: status === 'processing' ? fc.constantFrom('in_flight', 'pending_at_gateway', 'outcome_unknown', 'queued') : fc.constant(null),
})) as fc.Arbitrary<PaymentState>;
const observations = fc.constantFrom(...OBSERVATIONS);
const attempts = fc.constantFrom<AttemptStatus>('sent', 'pending', 'requires_action', 'succeeded', 'declined', 'failed', 'unknown');

/** The published graph: what may follow directly on what (design/architecture.md §5). */
const GRAPH: Record<PaymentStatus, PaymentStatus[]> = {
  created: ['processing', 'voided', 'expired'],
  requires_action: ['processing', 'authorized', 'captured', 'failed', 'voided', 'expired', 'needs_review'],
  processing: ['requires_action', 'authorized', 'captured', 'failed', 'voided', 'expired', 'needs_review'],
  authorized: ['captured', 'voided', 'expired', 'needs_review'],
  needs_review: ['processing', 'requires_action', 'authorized', 'captured', 'failed', 'voided', 'expired'],
  captured: [], failed: [], voided: [], expired: [],
};

describe('a payment', () => {
  it('moves along the published graph only, whatever is observed in whatever order (I11)', () => {
    fc.assert(fc.property(fc.array(observations, { maxLength: 30 }), (observed) => {
      let state: PaymentState = { status: 'created', processingReason: null };
      for (const observation of observed) {
        const after = next(state, observation);
        if (after.status !== state.status) expect(GRAPH[state.status]).toContain(after.status);
        expect(after.processingReason !== null).toBe(after.status === 'processing');
        state = after;
      }
    }), { numRuns: 2_000 });
  });

  it('never moves once it is final', () => {
    fc.assert(fc.property(states, observations, (state, observation) => {
      if (TERMINAL.has(state.status)) expect(next(state, observation)).toEqual(state);
    }));
  });

  it('learns nothing from hearing the same thing twice', () => {
    fc.assert(fc.property(states, observations, (state, observation) => {
      const once = next(state, observation);
      expect(next(once, observation)).toEqual(next(next(once, observation), observation));
      if (!['sent', 'requires_action'].includes(observation)) expect(next(once, observation)).toEqual(once);
    }));
  });

  it('fails only on evidence: never because an outcome is unknown, and never because time passed', () => {
    const evidence: Observation[] = ['declined', 'not_done', 'absent'];
    fc.assert(fc.property(states, observations, (state, observation) => {
      if (next(state, observation).status === 'failed' && state.status !== 'failed') expect(evidence).toContain(observation);
    }));
  });

  it('is captured or authorised only when the PSP says so', () => {
    fc.assert(fc.property(states, observations, (state, observation) => {
      const { status } = next(state, observation);
      if (status !== state.status && (status === 'captured' || status === 'authorized')) expect(observation).toBe(status);
    }));
  });

  it.each([
    ['in_flight', 'unknown', 'outcome_unknown'],
    ['in_flight', 'pending', 'pending_at_gateway'],
    ['outcome_unknown', 'pending', 'pending_at_gateway'],
    ['pending_at_gateway', 'unknown', 'pending_at_gateway'],
  ] as const)('that is processing (%s) and %s is processing (%s)', (processingReason, observation, expected) => {
    expect(next({ status: 'processing', processingReason }, observation)).toEqual({ status: 'processing', processingReason: expected });
  });
});

describe('an attempt', () => {
  it('that is closed opens again only for money that moved', () => {
    fc.assert(fc.property(attempts, observations, (status, observation) => {
      const after = nextAttempt(status, observation);
      if (['succeeded', 'declined', 'failed'].includes(status) && after !== status) expect(['authorized', 'captured']).toContain(observation);
    }));
  });

  it('that was closed as not done and then shows money is a late capture', () => {
    expect(isLateCapture('failed', 'captured')).toBe(true);
    expect(isLateCapture('declined', 'authorized')).toBe(true);
    expect(isLateCapture('unknown', 'captured')).toBe(false);
    expect(isLateCapture('failed', 'declined')).toBe(false);
  });
});

describe('an attempt to capture or to void', () => {
  it('succeeds only when the PSP shows it done, and is failed only on evidence', () => {
    fc.assert(fc.property(fc.constantFrom('capture' as const, 'void' as const), attempts, observations, (operation, attempt, observation) => {
      const after = nextOperation(operation, attempt, observation);
      if (after === 'succeeded' && attempt !== 'succeeded') expect(observation).toBe(operation === 'capture' ? 'captured' : 'voided');
      if (after === 'failed' && isOpen(attempt)) {
        expect(['not_done', 'absent', 'declined', 'expired', 'withdrawn', 'time_out', operation === 'capture' ? 'voided' : 'captured']).toContain(observation);
      }
    }));
  });

  it('is not over because the money is reserved still: the call may be on its way', () => {
    for (const operation of ['capture', 'void'] as const) expect(isOpen(nextOperation(operation, 'sent', 'authorized'))).toBe(true);
  });

  it('stays closed once it is', () => {
    fc.assert(fc.property(fc.constantFrom('capture' as const, 'void' as const), attempts, observations, (operation, attempt, observation) => {
      if (!isOpen(attempt)) expect(nextOperation(operation, attempt, observation)).toBe(attempt);
    }));
  });
});
