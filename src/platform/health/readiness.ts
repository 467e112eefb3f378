import { setTimeout as sleep } from 'node:timers/promises';

/** Something without which the service cannot work; `check` throws when it is missing. */
export type ReadinessCheck = { name: string; check(): Promise<void> };

export type CheckResult = { status: 'ok' } | { status: 'failed'; reason: string };
export type Readiness = { status: 'ok' | 'unavailable'; checks: Record<string, CheckResult> };

/** An answer is due within a second. */
const CHECK_MS_MAX = 800;

/** Whether the service can work, asked now; each check has 800 ms. Reasons are ours: what a driver says may name hosts and users. */
export async function readinessOf(checks: readonly ReadinessCheck[], checkMsMax = CHECK_MS_MAX): Promise<Readiness> {
  const results = await Promise.all(checks.map(async (check) => [check.name, await resultOf(check, checkMsMax)] as const));
  return { status: results.every(([, { status }]) => status === 'ok') ? 'ok' : 'unavailable', checks: Object.fromEntries(results) };
}

async function resultOf(check: ReadinessCheck, checkMsMax: number): Promise<CheckResult> {
  const over = new AbortController();
  try {
    return await Promise.race([
      check.check().then(() => ({ status: 'ok' }) as const),
      sleep(checkMsMax, { status: 'failed', reason: 'no answer in time' } as const, { signal: over.signal, ref: false }),
    ]);
  } catch {
    return { status: 'failed', reason: 'not available' };
  } finally {
    over.abort();
  }
}
