import { sql } from 'kysely';
import { newId } from '../../shared/id.js';
import type { Database, DatabaseAccess } from '../database/database.js';
import { databaseNow, databaseTimeIn } from '../database/time.js';
import { currentTraceId } from '../http/trace.js';

/** A job as its holder sees it. The lease token fences off a holder that was stopped for too long. */
export type Job = { id: string; kind: string; tenantId: string; lane: string | null; traceId: string | null; payload: Record<string, string>; attempts: number; leaseToken: string };

export type NewJob = { id: string; kind: string; tenantId: string; payload: Record<string, string>; uniqueKey?: string; delayMs: number; /** What its work waits for: a gateway. None for work of our own. */ lane?: string };

/** A job that failed too often: a person looks at it. */
export type JobAside = { id: string; kind: string; tenantId: string; lastError: string | null; createdAt: Date };

const ASIDE_MAX = 1_000;

/** The lease ended and another took the job over: whatever this holder was about to write must not be written. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** The table of jobs. All times are by the database's clock. */
export class JobQueue {
  constructor(private readonly database: Database) {}

  /** Adds a job in the caller's transaction. A job alive under the same unique key stays as it is. */
  async enqueue(access: DatabaseAccess, job: NewJob): Promise<void> {
    await access.acrossTenants().insertInto('jobs').values(columnsOf(job)).onDuplicateKeyUpdate({ kind: job.kind }).execute();
  }

  /** Which of these unique keys a job has. Waits for nobody. */
  async alive(access: DatabaseAccess, uniqueKeys: readonly string[]): Promise<ReadonlySet<string>> {
    if (uniqueKeys.length === 0) return new Set();
    const rows = await access.acrossTenants().selectFrom('jobs').select('unique_key').where('unique_key', 'in', uniqueKeys.map((key) => Buffer.from(key))).execute();
    return new Set(rows.flatMap(({ unique_key: key }) => (key === null ? [] : [key.toString('utf8')])));
  }

  /** Adds a job, or sees to it that the one alive under its unique key runs (again) after this moment: what its holder writes afterwards is refused. */
  async enqueueAgain(access: DatabaseAccess, job: NewJob & { uniqueKey: string }): Promise<void> {
    const columns = columnsOf(job);
    await access.acrossTenants().insertInto('jobs').values(columns)
      // Assigned from left to right: the time looks at the lease before it is taken away. One that waits already stays due when it is, if that is earlier.
      .onDuplicateKeyUpdate({
        run_at: sql`if(lease_token is null and run_at is not null, least(run_at, values(run_at)), values(run_at))`, payload: columns.payload, lease_token: null, attempts: 0,
      }).execute();
  }

  /** Adds a job, or makes the one of its unique key due in `delayMs`, whoever holds it: what its holder writes afterwards is refused. */
  async put(access: DatabaseAccess, job: NewJob & { uniqueKey: string }): Promise<void> {
    await access.acrossTenants().insertInto('jobs').values(columnsOf(job)).onDuplicateKeyUpdate({ run_at: databaseTimeIn(job.delayMs), lease_token: null, attempts: 0 }).execute();
  }

  /**
   * Takes up to `limit` due jobs for `leaseMs`, none of the lanes `except`. Jobs that another claim is looking at are skipped, so two claimers never get the same.
   */
  async claim(limit: number, leaseMs: number, except: readonly string[] = []): Promise<Job[]> {
    if (except.length === 0) return this.claimFrom(null, limit, leaseMs);
    // Lane by lane, by an index: a lane that stands still may have thousands of jobs due.
    const lanes = await this.database.acrossTenants().selectFrom('jobs').select('lane').distinct().execute();
    const claimed: Job[] = [];
    for (const { lane } of lanes.filter((one) => one.lane === null || !except.includes(one.lane))) {
      if (claimed.length < limit) claimed.push(...await this.claimFrom({ lane }, limit - claimed.length, leaseMs));
    }
    return claimed;
  }

  private async claimFrom(only: { lane: string | null } | null, limit: number, leaseMs: number): Promise<Job[]> {
    const leaseToken = newId('job');
    return this.database.transaction(async (transaction) => {
      const jobs = transaction.acrossTenants();
      const rows = jobs.selectFrom('jobs').select(['id', 'kind', 'tenant_id', 'lane', 'trace_id', 'payload', 'attempts']).where('run_at', '<=', databaseNow());
      const due = await (only === null ? rows : rows.where('lane', only.lane === null ? 'is' : '=', only.lane)).orderBy('run_at').limit(limit).forUpdate().skipLocked().execute();
      if (due.length === 0) return [];
      await jobs.updateTable('jobs').where('id', 'in', due.map(({ id }) => id))
        .set((row) => ({ lease_token: leaseToken, run_at: databaseTimeIn(leaseMs), attempts: row('attempts', '+', 1) })).execute();
      return due.map((row) => ({
        id: row.id, kind: row.kind, tenantId: row.tenant_id, lane: row.lane, traceId: row.trace_id, attempts: row.attempts + 1, leaseToken,
        payload: JSON.parse(row.payload) as Record<string, string>,
      }));
    });
  }

  /** Keeps others off the job until the transaction ends. @throws LeaseLost when it is no longer ours. */
  async hold(transaction: DatabaseAccess, job: Job): Promise<void> {
    const row = await transaction.acrossTenants().selectFrom('jobs').select('id').where('id', '=', job.id).where('lease_token', '=', job.leaseToken).forUpdate().executeTakeFirst();
    if (row === undefined) throw new LeaseLost(`job ${job.id}`);
  }

  /** The job is done. @throws LeaseLost when it is no longer ours. */
  async complete(access: DatabaseAccess, job: Job): Promise<void> {
    const { numDeletedRows } = await access.acrossTenants().deleteFrom('jobs')
      .where('id', '=', job.id).where('lease_token', '=', job.leaseToken).executeTakeFirstOrThrow();
    if (numDeletedRows === 0n) throw new LeaseLost(`job ${job.id}`);
  }

  /** The job went well and is due again in `delayMs`, with another payload if one is given. @throws LeaseLost when it is no longer ours. */
  async postpone(access: DatabaseAccess, job: Job, delayMs: number, payload: Record<string, string> = job.payload): Promise<void> {
    await this.release(access, job, { run_at: databaseTimeIn(delayMs), attempts: 0, last_error: null, payload: JSON.stringify(payload) });
  }

  /** The job failed and is tried again in `delayMs`; null lays it aside for a person. @throws LeaseLost when it is no longer ours. */
  async fail(job: Job, reason: string, delayMs: number | null): Promise<void> {
    await this.release(this.database, job, { run_at: delayMs === null ? null : databaseTimeIn(delayMs), last_error: reason.slice(0, 255) });
  }

  /** The job could not be done for now, through no fault of its own, and is due again in `delayMs`: it counts as never begun. @throws LeaseLost when it is no longer ours. */
  async defer(job: Job, reason: string, delayMs: number): Promise<void> {
    await this.release(this.database, job, { run_at: databaseTimeIn(delayMs), attempts: job.attempts - 1, last_error: reason.slice(0, 255) });
  }

  /** The jobs that lie aside after their last failure, the oldest first, at most 1000. */
  async laidAside(access: DatabaseAccess): Promise<JobAside[]> {
    const rows = await access.acrossTenants().selectFrom('jobs').select(['id', 'kind', 'tenant_id', 'last_error', 'created_at']).where('run_at', 'is', null).orderBy('created_at').limit(ASIDE_MAX).execute();
    return rows.map((row) => ({ id: row.id, kind: row.kind, tenantId: row.tenant_id, lastError: row.last_error, createdAt: row.created_at }));
  }

  /** Makes jobs that lie aside due now, with all their tries. */
  async replay(access: DatabaseAccess, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await access.acrossTenants().updateTable('jobs').set({ run_at: databaseNow(), attempts: 0 }).where('id', 'in', ids).where('run_at', 'is', null).execute();
  }

  /** Makes the job of this unique key due now, unless somebody holds it, it is due earlier, or it lies aside. */
  async pullForward(access: DatabaseAccess, uniqueKey: string): Promise<void> {
    await access.acrossTenants().updateTable('jobs').where('unique_key', '=', Buffer.from(uniqueKey))
      .where('lease_token', 'is', null).where('run_at', '>', databaseNow()).set({ run_at: databaseNow() }).execute();
  }

  /** Removes the job of this unique key, whoever holds it: what its holder writes afterwards is refused. */
  async drop(access: DatabaseAccess, uniqueKey: string): Promise<void> {
    await access.acrossTenants().deleteFrom('jobs').where('unique_key', '=', Buffer.from(uniqueKey)).execute();
  }

  private async release(access: DatabaseAccess, job: Job, changes: object): Promise<void> {
    const { numUpdatedRows } = await access.acrossTenants().updateTable('jobs')
      .where('id', '=', job.id).where('lease_token', '=', job.leaseToken).set({ ...changes, lease_token: null }).executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) throw new LeaseLost(`job ${job.id}`);
  }
}

function columnsOf(job: NewJob) {
  return {
    id: job.id, kind: job.kind, tenant_id: job.tenantId, lane: job.lane ?? null, payload: JSON.stringify(job.payload), unique_key: job.uniqueKey === undefined ? null : Buffer.from(job.uniqueKey),
    trace_id: currentTraceId() ?? null, run_at: databaseTimeIn(job.delayMs), created_at: databaseNow(), attempts: 0, lease_token: null, last_error: null,
  };
}
