import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Database } from '../database/database.js';
import type { Metrics } from './metrics.js';

/** More jobs than this are not counted one by one; the gauges then stay at it. */
const JOBS_COUNTED_MAX = 10_000;
/** An answer is due within a second: Prometheus waits ten. */
const ANSWER_MS_MAX = 1_000;

/** Jobs of one kind, alive or laid aside, and how long the first of them has been due; negative before that. */
type JobCount = { kind: string; dead: number; jobs: number; overdue_seconds: number | null };

/** Shows the table of jobs, asked once for each scrape. While the database does not answer there are no values: a zero would be a claim. */
export function collectJobs(metrics: Metrics, database: Database, kinds: readonly string[]): void {
  const counts = new JobCounts(database);
  const waiting = metrics.gauge({
    name: 'smartpay_jobs_waiting', labelNames: ['kind'], help: `Jobs that are due, will be, or are in hand; the first ${JOBS_COUNTED_MAX} by due time. The same in every instance.`,
    collect: async () => {
      const rows = await counts.now();
      waiting.reset();
      for (const kind of rows === null ? [] : [...kinds, 'other']) waiting.set({ kind }, 0);
      for (const { kind, jobs } of rows?.filter(({ dead }) => dead === 0) ?? []) waiting.inc({ kind: kinds.includes(kind) ? kind : 'other' }, jobs);
    },
  });
  const oldest = metrics.gauge({
    name: 'smartpay_jobs_oldest_due_seconds', help: 'For how long the job that has been due longest waits for a runner; 0 when none is due. The same in every instance.',
    collect: async () => {
      const rows = await counts.now();
      if (rows === null) oldest.remove();
      else oldest.set(Math.max(0, ...rows.map(({ overdue_seconds: seconds }) => seconds ?? 0)));
    },
  });
  const dead = metrics.gauge({
    name: 'smartpay_jobs_dead', help: 'Jobs laid aside after their last failure: a person must look. The same in every instance.',
    collect: async () => {
      const rows = await counts.now();
      if (rows === null) dead.remove();
      else dead.set(rows.reduce((sum, row) => sum + (row.dead === 1 ? row.jobs : 0), 0));
    },
  });
  const up = metrics.gauge({
    name: 'smartpay_database_up', help: `Whether the database answered this scrape within ${ANSWER_MS_MAX} ms.`,
    collect: async () => { up.set(await counts.now() === null ? 0 : 1); },
  });
}

class JobCounts {
  private asking: Promise<readonly JobCount[] | null> | undefined;

  constructor(private readonly database: Database) {}

  /** Null when the database does not answer in time. Whoever asks meanwhile shares the question: never is more than one connection taken for metrics. */
  async now(): Promise<readonly JobCount[] | null> {
    this.asking ??= this.ask().finally(() => { this.asking = undefined; });
    return Promise.race([this.asking, sleep(ANSWER_MS_MAX, null, { ref: false })]);
  }

  /** The database itself ends the statement, too: MariaDB by SET STATEMENT, which MySQL takes for a comment, MySQL by the hint, which MariaDB takes for one. */
  private async ask(): Promise<readonly JobCount[] | null> {
    const limit = sql.lit(JOBS_COUNTED_MAX);
    const statement = sql<JobCount>`/*M!100100 set statement max_statement_time = ${sql.lit(ANSWER_MS_MAX / 1000)} for */
      select /*+ max_execution_time(${sql.lit(ANSWER_MS_MAX)}) */ kind, dead, count(*) as jobs, max(overdue_seconds) as overdue_seconds from (
        (select kind, 0 as dead, timestampdiff(second, run_at, now(3)) as overdue_seconds from jobs where run_at is not null order by run_at limit ${limit})
        union all
        (select kind, 1 as dead, null as overdue_seconds from jobs where run_at is null limit ${limit})
      ) as counted group by kind, dead`;
    try {
      return (await statement.execute(this.database.acrossTenants())).rows;
    } catch {
      // Said by smartpay_database_up.
      return null;
    }
  }
}
