import type { GatewayProfile } from '../gateways/contract/gateway-definition.js';
import type { LookUpTimes } from './look-up-plan.js';

/** What the environment says about look-ups; overrides hold for every PSP. */
export type LookUpSettings = { scheduleMs: readonly number[]; lagMs?: number | undefined; absenceAfterMs?: number | undefined };

/** The times of look-ups at one PSP: a call can happen until its token is dead, and may be shown only after the look-up lag (architecture §5). */
export function lookUpTimesOf(profile: GatewayProfile, settings: LookUpSettings): LookUpTimes {
  const lagMs = settings.lagMs ?? profile.lookupLagMs;
  return { scheduleMs: settings.scheduleMs, lagMs, absenceAfterMs: settings.absenceAfterMs ?? Math.max(lagMs, profile.tokenLifetimeMs) };
}
