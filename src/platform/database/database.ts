import { setTimeout as sleep } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/mysql';
import type { Kysely } from 'kysely';
import { fullJitterMs } from '../../shared/backoff.js';
import { inSpan } from '../tracing/span.js';
import { lostConnection, metAnotherTransaction } from './database-errors.js';
import { PooledDialect, type PoolState } from './pool.js';
import type { Tables } from './tables.js';
import { TenantScope } from './tenant-scope.js';

/** Ways to the tables; the same inside and outside a transaction. */
export interface DatabaseAccess {
  forTenant(tenantId: string): TenantScope;
  /** The tables of all tenants. For finding out who asks, and for jobs; never for answering a tenant. */
  acrossTenants(): Kysely<Tables>;
  /** Runs `work`, which must not throw, once what is written here is durable: after the COMMIT, never after a rollback, once for a transaction that is run again. */
  afterCommit(work: () => void): void;
}

/** An open transaction. Whatever throws inside it rolls all of it back. */
export class Transaction implements DatabaseAccess {
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly connection: Kysely<Tables>) {}
  forTenant(tenantId: string): TenantScope { return new TenantScope(this.connection, tenantId); }
  acrossTenants(): Kysely<Tables> { return this.connection; }
  afterCommit(work: () => void): void { this.waiting.push(work); }

  /** The COMMIT was answered. A COMMIT whose answer is lost is never told: what waits here may fall short, and never exceeds what happened. */
  committed(): void { for (const work of this.waiting) work(); }
}

/** Another transaction was met this often, or for this long: the row is too hot, and the caller hears of it. Well within the lease of a job. */
const CONFLICT_TRIES_MAX = 12;
const CONFLICTS_MS_MAX = 12_000;
/** Together these waits stay under a second, so that a database that is down is reported and not waited for. */
const RECONNECT_TRIES_MAX = 3;

/** The database, as MikroORM connects to it. Statements go through its Kysely (docs/decisions/0001). */
export class Database implements DatabaseAccess {
  constructor(private readonly orm: MikroORM) {}

  forTenant(tenantId: string): TenantScope { return new TenantScope(this.acrossTenants(), tenantId); }
  acrossTenants(): Kysely<Tables> { return this.orm.em.fork().getKysely<Tables>(); }
  afterCommit(work: () => void): void { work(); }

  /**
   * Runs `work` in one transaction and commits. A deadlock, a lock wait or a lost connection rolls all of it back and runs it again, a bounded
   * number of times. As the connection may be lost after COMMIT was sent, `work` must bear being run after it had succeeded: make ids outside
   * it, and take one's own duplicate key for success. No call to anything but the database belongs in `work`.
   */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return inSpan({ name: 'transaction' }, () => this.runUntilCommitted(work));
  }

  private async runUntilCommitted<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const beganMs = performance.now();
    for (let conflicts = 0, losses = 0; ;) {
      try {
        const { result, transaction } = await this.run(work);
        transaction.committed();
        return result;
      } catch (error) {
        if (metAnotherTransaction(error) && ++conflicts < CONFLICT_TRIES_MAX && performance.now() - beganMs < CONFLICTS_MS_MAX) await sleep(fullJitterMs(conflicts, 10, 250));
        else if (lostConnection(error) && ++losses < RECONNECT_TRIES_MAX) await sleep(fullJitterMs(losses, 100, 300));
        else throw error;
      }
    }
  }

  private async run<T>(work: (transaction: Transaction) => Promise<T>): Promise<{ result: T; transaction: Transaction }> {
    return this.orm.em.getConnection().transactional(async (connection) => {
      const transaction = new Transaction(connection as unknown as Kysely<Tables>);
      return { result: await work(transaction), transaction };
    });
  }

  /** How the pool of connections stands now. */
  poolState(): PoolState {
    const dialect: unknown = this.orm.config.get('driverOptions');
    if (!(dialect instanceof PooledDialect)) throw new Error('the database was opened without our pool');
    return dialect.state();
  }

  async close(): Promise<void> {
    await this.orm.close(true);
  }
}
