import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { money } from '../shared/money.js';
import { nextLookUpDueAt, planFirstLookUp, planNextLookUp, type LookUpMoment, type LookUpTimes } from './look-up-plan.js';
import type { Attempt } from './payment.js';

const SENT = Date.parse('2026-11-24T00:00:00.000Z');
const times: LookUpTimes = { scheduleMs: [5_000, 15_000, 60_000, 300_000, 1_800_000], lagMs: 10_000, absenceAfterMs: 300_000 };
const at = (ms: number): Date => new Date(SENT + ms);
/** A look-up that is judged as soon as it is made. */
const asked = (ms: number): LookUpMoment => ({ beganAt: at(ms), now: at(ms) });

function attempt(changes: Partial<Attempt> = {}): Attempt {
  return {
    id: 'att_1', tenantId: 'ten_1', paymentId: 'pay_1', gateway: 'culqi', gatewayAccountId: 'gwa_1', operation: 'authorize', status: 'unknown',
    refundId: null, returnsAttemptId: null,
    amount: money(100n, 'PEN'), gatewayReference: null, code: null, pspCode: null, latencyMs: null, sentAt: at(0), deadlineAt: at(15_000),
    lookUps: 0, nextLookUpAt: null, firstAbsentAt: null, answer: null, createdAt: at(0), ...changes,
  };
}

describe('absence', () => {
  it('is no evidence while the call can still happen', () => {
    const step = planNextLookUp(attempt({ nextLookUpAt: at(5_000) }), 'absent', 'park', times, asked(15_000 + 299_999));
    expect(step).toMatchObject({ conclusion: 'wait', attempt: { firstAbsentAt: null } });
  });

  it('is no evidence once', () => {
    const step = planNextLookUp(attempt({ nextLookUpAt: at(5_000) }), 'absent', 'park', times, asked(320_000));
    expect(step).toMatchObject({ conclusion: 'wait', attempt: { firstAbsentAt: at(320_000) } });
  });

  it('is no evidence twice within the look-up lag', () => {
    const seen = attempt({ nextLookUpAt: at(400_000), firstAbsentAt: at(320_000) });
    expect(planNextLookUp(seen, 'absent', 'park', times, asked(329_999)).conclusion).toBe('wait');
  });

  it('is evidence twice, spaced by the look-up lag, after the call can no longer happen', () => {
    const seen = attempt({ nextLookUpAt: at(400_000), firstAbsentAt: at(320_000) });
    expect(planNextLookUp(seen, 'absent', 'park', times, asked(330_000)).conclusion).toBe('absent');
  });

  it('counts from when the PSP was asked, however much later its answer is judged', () => {
    const early = { beganAt: at(314_999), now: at(900_000) };
    expect(planNextLookUp(attempt({ nextLookUpAt: at(5_000) }), 'absent', 'park', times, early).attempt.firstAbsentAt).toBeNull();
    const seen = attempt({ nextLookUpAt: at(400_000), firstAbsentAt: at(320_000) });
    expect(planNextLookUp(seen, 'absent', 'park', times, { beganAt: at(325_000), now: at(900_000) }).conclusion).toBe('wait');
  });

  it('is confirmed as soon as the lag is over, not when the schedule says', () => {
    const { attempt: seen } = planNextLookUp(attempt({ lookUps: 3, nextLookUpAt: at(320_000) }), 'absent', 'park', times, asked(320_000));
    expect(nextLookUpDueAt(seen, times, at(320_000))).toEqual(at(330_000));
  });

  it('whose confirmation is not answered is asked about ever less often, and no later than planned (A8)', () => {
    let current = attempt({ lookUps: 3, nextLookUpAt: at(420_000), firstAbsentAt: at(320_000) });
    const due: number[] = [];
    for (let nowMs = 330_000; nowMs < 420_000; nowMs = due.at(-1) ?? 0) {
      current = planNextLookUp(current, 'no_answer', 'park', times, asked(nowMs)).attempt;
      due.push((nextLookUpDueAt(current, times, at(nowMs))?.getTime() ?? 0) - SENT);
    }
    expect(due).toEqual([340_000, 360_000, 400_000, 420_000]);
  });

  it('is forgotten when the PSP shows the payment after all', () => {
    const seen = attempt({ nextLookUpAt: at(400_000), firstAbsentAt: at(320_000) });
    expect(planNextLookUp(seen, 'pending', 'poll', times, asked(330_000)).attempt.firstAbsentAt).toBeNull();
  });

  it('is never concluded early, whatever look-ups come in whatever order', () => {
    const looks = fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 200_000 }), found: fc.constantFrom('absent' as const, 'no_answer' as const) }), { maxLength: 30 });
    fc.assert(fc.property(looks, (made) => {
      let current = planFirstLookUp(attempt(), times, at(15_000));
      let nowMs = 15_000;
      const absences: number[] = [];
      for (const { afterMs, found } of made) {
        nowMs += afterMs;
        const step = planNextLookUp(current, found, 'park', times, asked(nowMs));
        if (found === 'absent') absences.push(nowMs);
        if (step.conclusion === 'absent') {
          const valid = absences.filter((ms) => ms >= 15_000 + times.absenceAfterMs);
          expect(valid.length).toBeGreaterThanOrEqual(2);
          expect(valid.at(-1)! - valid[0]!).toBeGreaterThanOrEqual(times.lagMs);
          return;
        }
        if (step.conclusion === 'schedule_exhausted') return;
        current = step.attempt;
      }
    }), { numRuns: 2_000 });
  });
});

describe('the schedule of look-ups', () => {
  it('counts each delay from the previous look-up and parks after the last', () => {
    let current = planFirstLookUp(attempt(), times, at(0));
    const due: number[] = [];
    for (;;) {
      const dueAt = nextLookUpDueAt(current, times, current.nextLookUpAt ?? at(0))!;
      due.push(dueAt.getTime() - SENT);
      const step = planNextLookUp(current, 'no_answer', 'park', times, { beganAt: dueAt, now: dueAt });
      if (step.conclusion === 'schedule_exhausted') break;
      current = step.attempt;
    }
    expect(due).toEqual([5_000, 20_000, 80_000, 380_000, 2_180_000]);
  });

  it('is not used up by a look-up that a reader pulled forward', () => {
    const planned = planFirstLookUp(attempt(), times, at(0));
    const step = planNextLookUp(planned, 'no_answer', 'park', times, asked(1_000));
    expect(step.attempt).toMatchObject({ lookUps: 0, nextLookUpAt: at(5_000) });
  });

  it('never ends for what is pending at the PSP: its last delay repeats', () => {
    let current = attempt({ lookUps: 4, nextLookUpAt: at(0) });
    for (let i = 0; i < 10; i++) {
      const dueAt = current.nextLookUpAt!;
      const step = planNextLookUp(current, 'pending', 'poll', times, { beganAt: dueAt, now: dueAt });
      expect(step.conclusion).toBe('wait');
      expect(step.attempt.nextLookUpAt!.getTime() - dueAt.getTime()).toBe(1_800_000);
      current = step.attempt;
    }
  });

  it('ends with a report for what people must hear of, and asks on at its last delay', () => {
    const last = attempt({ lookUps: 4, nextLookUpAt: at(2_180_000) });
    const step = planNextLookUp(last, 'no_answer', 'report', times, asked(2_180_000));
    expect(step).toMatchObject({ conclusion: 'schedule_exhausted', attempt: { lookUps: 5, nextLookUpAt: at(2_180_000 + 1_800_000) } });
    expect(planNextLookUp(last, 'no_answer', 'park', times, asked(2_180_000)).attempt.nextLookUpAt).toBeNull();
  });

  it('waits past its end for the confirmation of an absence', () => {
    const last = planNextLookUp(attempt({ lookUps: 4, nextLookUpAt: at(2_180_000) }), 'absent', 'park', times, asked(2_180_000));
    expect(last.conclusion).toBe('wait');
    expect(planNextLookUp(last.attempt, 'absent', 'park', times, asked(2_190_000)).conclusion).toBe('absent');
  });
});
