import type { Attempt } from './payment.js';

/** The times of the look-ups of one attempt, in milliseconds; from the PSP's profile and the environment. */
export type LookUpTimes = {
  /** Delays between look-ups, each from the previous one. */
  scheduleMs: readonly number[];
  /** How far the PSP's look-ups may lag behind its books. */
  lagMs: number;
  /** From the call's deadline until it can no longer happen at the PSP. */
  absenceAfterMs: number;
};

/** What a look-up that brought no payment means for the attempt. */
export type LookUpStep = { attempt: Attempt; conclusion: 'wait' | 'absent' | 'schedule_exhausted' };

/** The attempt with its first look-up planned. */
export function planFirstLookUp(attempt: Attempt, times: LookUpTimes, now: Date): Attempt {
  return { ...attempt, lookUps: 0, nextLookUpAt: new Date(now.getTime() + (times.scheduleMs[0] ?? 0)), firstAbsentAt: null };
}

/** When a look-up began, before the PSP was asked, and when it is judged; by the database's clock. Between them a process may have stood still. */
export type LookUpMoment = { beganAt: Date; now: Date };

/**
 * What follows from a look-up. "Not found" is evidence only twice, spaced by the look-up lag, and after the call can no longer happen
 * (architecture §5): what counts is when the PSP was asked, not when its answer is judged. A look-up before its planned time (a reader pulled it forward, or it confirms an absence) uses up no step of the
 * schedule. `atEnd`: what the end of the schedule does. `park` waits for people; `report` tells them, and asks on at the last delay, as `poll` does in silence:
 * what is pending at the PSP is asked for ever.
 */
export function planNextLookUp(attempt: Attempt, found: 'absent' | 'no_answer' | 'pending', atEnd: 'park' | 'report' | 'poll', times: LookUpTimes, { beganAt, now }: LookUpMoment): LookUpStep {
  const countsAsAbsent = found === 'absent' && beganAt.getTime() >= attempt.deadlineAt.getTime() + times.absenceAfterMs;
  if (countsAsAbsent && attempt.firstAbsentAt !== null && beganAt.getTime() >= attempt.firstAbsentAt.getTime() + times.lagMs) {
    return { attempt: { ...attempt, nextLookUpAt: null }, conclusion: 'absent' };
  }
  const firstAbsentAt = found === 'pending' ? null : attempt.firstAbsentAt ?? (countsAsAbsent ? now : null);
  const planned = attempt.nextLookUpAt === null || now >= attempt.nextLookUpAt;
  const lookUps = attempt.lookUps + (planned ? 1 : 0);
  const looked = { ...attempt, lookUps, firstAbsentAt };
  if (!planned) return { attempt: looked, conclusion: 'wait' };

  const awaitsConfirmation = firstAbsentAt !== null && now.getTime() < firstAbsentAt.getTime() + times.lagMs;
  const isOver = lookUps >= times.scheduleMs.length && atEnd !== 'poll' && !awaitsConfirmation;
  if (isOver && atEnd === 'park') return { attempt: { ...looked, nextLookUpAt: null }, conclusion: 'schedule_exhausted' };
  const delayMs = times.scheduleMs[Math.min(lookUps, times.scheduleMs.length - 1)] ?? 0;
  return { attempt: { ...looked, nextLookUpAt: new Date(now.getTime() + delayMs) }, conclusion: isOver ? 'schedule_exhausted' : 'wait' };
}

/**
 * When the attempt must be looked up next, seen at `now`: as planned, or earlier to confirm an absence. A confirmation that a PSP did not answer is asked for again after twice the time,
 * for as long as that is sooner.
 */
export function nextLookUpDueAt(attempt: Attempt, times: LookUpTimes, now: Date): Date | null {
  if (attempt.nextLookUpAt === null || attempt.firstAbsentAt === null) return attempt.nextLookUpAt;
  let afterMs = Math.max(times.lagMs, 1);
  while (attempt.firstAbsentAt.getTime() + afterMs <= now.getTime()) afterMs *= 2;
  return new Date(Math.min(attempt.nextLookUpAt.getTime(), attempt.firstAbsentAt.getTime() + afterMs));
}
