import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { ormOptions } from '../../src/mikro-orm.config.js';
import type { Database } from '../../src/platform/database/database.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { JobQueue, LeaseLost, type Job } from '../../src/platform/jobs/job-queue.js';
import { JobRunner } from '../../src/platform/jobs/job-runner.js';
import { newId } from '../../src/shared/id.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let tables: TestDatabase;
let database: Database;
let queue: JobQueue;
beforeAll(async () => {
  Logger.overrideLogger(false); // the jobs below fail on purpose
  tables = await createTestDatabase();
  database = await openDatabase(ormOptions(tables.url, 10));
  queue = new JobQueue(database);
});
beforeEach(() => tables.query('delete from jobs'));
afterAll(async () => {
  await database.close();
  await tables.drop();
});

const enqueue = (delayMs = 0, uniqueKey?: string): Promise<void> =>
  queue.enqueue(database, { id: newId('job'), kind: 'test', tenantId: 'ten_1', payload: {}, delayMs, ...(uniqueKey === undefined ? {} : { uniqueKey }) });
const left = async (): Promise<number> => (await tables.query<{ n: number }>('select count(*) as n from jobs'))[0]!.n;

describe('the queue of jobs', () => {
  it('gives each job to one of many claimers', async () => {
    for (let i = 0; i < 40; i++) await enqueue();
    const claims = await Promise.all(Array.from({ length: 8 }, () => queue.claim(10, 10_000)));
    const ids = claims.flat().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const rest = await queue.claim(40, 10_000);
    expect(ids.length + rest.length).toBe(40);
  });

  it('gives no job before its time', async () => {
    await enqueue(60_000);
    expect(await queue.claim(10, 1_000)).toEqual([]);
  });

  it('keeps one job alive under a unique key', async () => {
    await enqueue(0, 'once');
    await enqueue(0, 'once');
    expect(await left()).toBe(1);
  });

  it('gives a job whose lease ended to another, and refuses what the first one writes then (C7)', async () => {
    await enqueue();
    const [stalled] = await queue.claim(1, 50);
    await sleep(80);
    const [job] = await queue.claim(1, 10_000);
    expect(job?.id).toBe(stalled?.id);
    await expect(queue.complete(database, stalled!)).rejects.toBeInstanceOf(LeaseLost);
    await expect(queue.postpone(database, stalled!, 0)).rejects.toBeInstanceOf(LeaseLost);
    await queue.complete(database, job!);
    expect(await left()).toBe(0);
  });

  it('is put as new, or made due when it is told; what its holder writes afterwards is refused', async () => {
    const put = (delayMs: number) => queue.put(database, { id: newId('job'), kind: 'test', tenantId: 'ten_1', payload: {}, uniqueKey: 'once', delayMs });
    await put(60_000);
    expect(await queue.claim(1, 10_000)).toEqual([]);
    await put(0);
    const [job] = await queue.claim(1, 10_000);
    await put(0);
    await expect(queue.complete(database, job!)).rejects.toBeInstanceOf(LeaseLost);
    await expect(database.transaction((transaction) => queue.hold(transaction, job!))).rejects.toBeInstanceOf(LeaseLost);
    const [again] = await queue.claim(1, 10_000);
    await database.transaction((transaction) => queue.hold(transaction, again!));
    expect([again?.id, await left()]).toEqual([job?.id, 1]);
  });

  it('is part of the transaction that fills it', async () => {
    await expect(database.transaction(async (transaction) => {
      await queue.enqueue(transaction, { id: newId('job'), kind: 'test', tenantId: 'ten_1', payload: {}, delayMs: 0 });
      throw new Error('the business failed');
    })).rejects.toThrow('the business failed');
    expect(await left()).toBe(0);
  });

  it('pulls a waiting job forward, but neither a held one nor one that lies aside', async () => {
    await enqueue(60_000, 'wait');
    await queue.pullForward(database, 'wait');
    const [job] = await queue.claim(1, 60_000);
    expect(job).toBeDefined();
    await queue.pullForward(database, 'wait');
    expect(await queue.claim(1, 60_000)).toEqual([]);
    await queue.fail(job!, 'poison', null);
    await queue.pullForward(database, 'wait');
    expect(await queue.claim(1, 60_000)).toEqual([]);
    expect(await left()).toBe(1);
  });
});

describe('the job runner', () => {
  const runner = (handle: (job: Job) => Promise<void>, isRecurring = false): JobRunner => new JobRunner(database, queue, [{ kind: 'test', isRecurring, handle }], { pollMs: 10, leaseMs: 5_000 });

  it('lets other jobs flow past one that always fails (C13)', async () => {
    await enqueue(0, 'poison');
    for (let i = 0; i < 5; i++) await enqueue();
    const [poison] = await tables.query<{ id: string }>('select id from jobs where unique_key is not null');
    const running = runner(async (job) => {
      if (job.id === poison!.id) throw new Error('poison');
      await queue.complete(database, job);
    });
    running.start();
    for (let i = 0; i < 100 && await left() > 1; i++) await sleep(20);
    await running.stop(1_000);
    const [row] = await tables.query<{ attempts: number; last_error: string; lease_token: string | null }>('select attempts, last_error, lease_token from jobs');
    expect(row).toMatchObject({ attempts: 1, last_error: 'Error', lease_token: null });
  });

  it('lays a job aside after its last failure, where a person finds it', async () => {
    await enqueue();
    await tables.query('update jobs set attempts = 19');
    const running = runner(() => Promise.reject(new Error('still poison')));
    running.start();
    for (let i = 0; i < 100; i++, await sleep(20)) if ((await tables.query<{ run_at: Date | null }>('select run_at from jobs'))[0]?.run_at === null) break;
    await running.stop(1_000);
    expect((await tables.query('select run_at, attempts from jobs'))[0]).toMatchObject({ run_at: null, attempts: 20 });
    // And runs again when that person says so.
    const [aside] = await queue.laidAside(database);
    expect(aside).toMatchObject({ kind: 'test', lastError: 'Error' });
    await queue.replay(database, ['job_another']);
    expect(await queue.laidAside(database)).toHaveLength(1);
    await queue.replay(database, [aside?.id ?? '']);
    expect([await queue.laidAside(database), (await queue.claim(10, 1_000)).map(({ id, attempts }) => [id, attempts])]).toEqual([[], [[aside?.id, 1]]]);
  });

  it('lays a job aside that was begun again and again and ended no time, as when it ends the process each time (C13)', async () => {
    await enqueue();
    await tables.query('update jobs set attempts = 20');
    let begun = 0;
    const running = runner(() => { begun += 1; return Promise.resolve(); });
    running.start();
    for (let i = 0; i < 100; i++, await sleep(20)) if ((await tables.query<{ run_at: Date | null }>('select run_at from jobs'))[0]?.run_at === null) break;
    await running.stop(1_000);
    expect([begun, await queue.laidAside(database)]).toMatchObject([0, [{ kind: 'test' }]]);
  });

  it('counts no failure of the database against a job, and lays none aside for it (D2)', async () => {
    await enqueue();
    await tables.query('update jobs set attempts = 19');
    let begun = 0;
    const running = runner(() => { begun += 1; return Promise.reject(Object.assign(new Error('Lock wait timeout exceeded'), { errno: 1205 })); });
    running.start();
    for (let i = 0; i < 100; i++, await sleep(20)) if ((await tables.query<{ last_error: string | null }>('select last_error from jobs'))[0]?.last_error !== null) break;
    await running.stop(1_000);
    expect([begun, await queue.laidAside(database)]).toEqual([1, []]);
    expect((await tables.query('select attempts, lease_token, run_at > now(3) as later from jobs'))[0]).toEqual({ attempts: 19, lease_token: null, later: 1 });
  });

  it('counts the trouble of a gateway, which looks like it, as a failure', async () => {
    await enqueue();
    await tables.query('update jobs set attempts = 19');
    const running = runner(() => Promise.reject(new Error('not contacted', { cause: Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', errno: -111 }) })));
    running.start();
    for (let i = 0; i < 100 && (await queue.laidAside(database)).length === 0; i++) await sleep(20);
    await running.stop(1_000);
    expect(await queue.laidAside(database)).toMatchObject([{ lastError: 'Error' }]);
  });

  it('begins although a process that stands still holds the row of what recurs (C7)', async () => {
    await queue.enqueue(database, { id: newId('job'), kind: 'test', tenantId: '', payload: {}, uniqueKey: 'test', delayMs: 60_000 });
    await enqueue();
    let done = 0;
    const running = runner(async (job) => { await queue.complete(database, job); done += 1; }, true);
    await tables.query('start transaction');
    try {
      await tables.query("select id from jobs where unique_key = 'test' for update");
      running.start();
      for (let i = 0; i < 100 && done === 0; i++) await sleep(20);
      expect(done).toBe(1);
    } finally {
      await tables.query('rollback');
      await running.stop(1_000);
    }
  });

  it('never lays aside what recurs', async () => {
    let begun = 0;
    const running = runner(() => { begun += 1; return Promise.reject(new Error('still poison')); }, true);
    await queue.enqueue(database, { id: newId('job'), kind: 'test', tenantId: '', payload: {}, uniqueKey: 'test', delayMs: 0 });
    await tables.query('update jobs set attempts = 25');
    running.start();
    for (let i = 0; i < 100 && begun === 0; i++) await sleep(20);
    await running.stop(1_000);
    expect([begun > 0, await queue.laidAside(database)]).toEqual([true, []]);
    expect(await left()).toBe(1);
  });

  it('lets a lane that stands still hold up nothing but itself, and takes it up again afterwards', async () => {
    const put = (lane: string | undefined, delayMs: number) => queue.enqueue(database, { id: newId('job'), kind: 'test', tenantId: 'ten_1', payload: {}, delayMs, ...(lane === undefined ? {} : { lane }) });
    for (let i = 0; i < 40; i++) await put('stalled', -1_000);
    for (const lane of [undefined, 'another']) for (let i = 0; i < 5; i++) await put(lane, 0);
    let letGo: () => void = () => undefined;
    const stalled = new Promise<void>((resolve) => { letGo = resolve; });
    let inHand = 0;
    let most = 0;
    const running = runner(async (job) => {
      if (job.lane === 'stalled') {
        most = Math.max(most, ++inHand);
        await stalled;
        inHand -= 1;
      }
      await queue.complete(database, job);
    });
    running.start();
    const leftIn = async (lane: string): Promise<number> => Number((await tables.query<{ n: number }>(`select count(*) as n from jobs where ${lane}`))[0]?.n);
    for (let i = 0; i < 200 && await leftIn("lane is null or lane = 'another'") > 0; i++) await sleep(20);
    expect([await leftIn("lane is null or lane = 'another'"), await leftIn("lane = 'stalled'")]).toEqual([0, 40]);
    expect(most).toBeLessThanOrEqual(16);
    letGo();
    for (let i = 0; i < 200 && await left() > 0; i++) await sleep(20);
    expect(await left()).toBe(0);
    await running.stop(1_000);
  });

  it('finishes what it is just claiming before it stops (C6)', async () => {
    await enqueue();
    let claims: () => void = () => undefined;
    const claiming = new Promise<void>((resolve) => { claims = resolve; });
    const slow = Object.assign(Object.create(queue) as JobQueue, {
      async claim(limit: number, leaseMs: number) {
        const claimed = await queue.claim(limit, leaseMs);
        claims();
        await sleep(100);
        return claimed;
      },
    });
    const running = new JobRunner(database, slow, [{ kind: 'test', async handle(job) { await sleep(150); await queue.complete(database, job); } }], { pollMs: 10, leaseMs: 5_000 });
    running.start();
    await claiming;
    await running.stop(5_000);
    expect(await left()).toBe(0);
  });

  it('finishes what it has in hand before it stops', async () => {
    await enqueue();
    let finished = false;
    let begun: () => void = () => undefined;
    const began = new Promise<void>((resolve) => { begun = resolve; });
    const running = runner(async (job) => {
      begun();
      await sleep(150);
      await queue.complete(database, job);
      finished = true;
    });
    running.start();
    await began;
    await running.stop(5_000);
    expect(finished).toBe(true);
  });
});
