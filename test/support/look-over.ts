import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './payments.js';
import type { TestDatabase } from './test-database.js';

/** What the schedule does once a day, now and to its end. */
export async function lookOverNow({ query }: Pick<TestDatabase, 'query'>): Promise<void> {
  // The emulators' time and the service's lag: what was made a moment ago is not looked over yet.
  await sleep(300);
  await query("update jobs set run_at = now(3), lease_token = null where unique_key = 'payments.look_over'");
  await eventually(() => query("select id from jobs where unique_key = 'payments.look_over' and run_at > now(3) + interval 1 hour"), (jobs) => jobs.length > 0);
  await query("update jobs set run_at = now(3) where kind = 'payments.look_over_account'");
  await eventually(() => query("select id from jobs where kind = 'payments.look_over_account'"), (jobs) => jobs.length === 0);
}
