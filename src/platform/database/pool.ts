import type { Duplex } from 'node:stream';
import { MysqlDialect } from 'kysely';
import { createPool, type Connection, type Pool } from 'mysql2';

/** Longest wait for a row lock, in seconds: shorter than any deadline of ours. */
export const LOCK_WAIT_SECONDS = 5;

/** Longest answer to one statement of the service, in milliseconds: longer than any lock wait. A connection over which nothing comes any more is given up after it. */
export const STATEMENT_MS_MAX = 12_000;

/** The server ends a session that has asked nothing for so long, in seconds: its process may be gone with the machine, and its locks are kept from others until then. */
export const SILENCE_SECONDS = 60;
/** The pool gives up connections that nobody uses well before the server does, in milliseconds. */
const UNUSED_MS = SILENCE_SECONDS * 500;
/** Longest answer to what sets a connection, in milliseconds. */
const SET_UP_MS_MAX = 1_500;

/** How each connection is set, whatever the server's defaults are. */
const SESSION = [
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  `SET SESSION innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}, time_zone = '+00:00', `
  + `sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'`,
];

/**
 * Opens a pool of at most `connectionsMax` connections in UTC, READ COMMITTED and strict mode. `databaseUrl` is `mysql://` or `mariadb://`.
 * A connection that cannot be set so, or over which a statement is not answered within `statementMsMax`, is destroyed. With `statementMsMax`, which a service has and
 * a command has not, the server ends sessions that fall silent. At most 50 waiters per connection; beyond that the pool refuses.
 */
export function openPool(databaseUrl: string, connectionsMax: number, statementMsMax?: number): Pool {
  const pool = createPool({
    uri: databaseUrl.replace(/^mariadb:/, 'mysql:'),
    connectionLimit: connectionsMax,
    queueLimit: connectionsMax * 50,
    // The pool looks after what nobody uses only where it may keep fewer than it may have: it says goodbye to the last at once, and to the others in time.
    maxIdle: Math.max(1, connectionsMax - 1),
    idleTimeout: UNUSED_MS,
    gracefulEnd: true,
    connectTimeout: 1_500,
    // A peer that went away without a word is noticed while nobody asks anything.
    keepAliveInitialDelay: 10_000,
    charset: 'UTF8MB4_BIN',
    timezone: 'Z',
    supportBigNumbers: true,
    jsonStrings: true,
  });
  // mysql2 runs what is queued here before the connection's first query. A throw in a hook of the pool would leak the slot (design/stack.md §7).
  const session = statementMsMax === undefined ? SESSION : [...SESSION, `SET SESSION wait_timeout = ${SILENCE_SECONDS}`];
  pool.on('connection', (connection: Connection) => {
    if (statementMsMax !== undefined) boundStatements(connection, statementMsMax);
    for (const statement of session) connection.query({ sql: statement, timeout: SET_UP_MS_MAX }, (error) => { if (error) giveUp(connection, error); });
  });
  return pool;
}

/** Ends a connection, and tells those who wait for it: mysql2's own `destroy` leaves what is queued without an answer. */
function giveUp(connection: Connection, cause: Error): void {
  const { stream } = connection as Connection & { stream: Duplex };
  stream.destroy(Object.assign(new Error('the connection is given up', { cause }), { code: 'ECONNABORTED' }));
}

type Answered = (error: (Error & { code?: string }) | null, ...answer: unknown[]) => void;
type QueryOf = (statement: string | { sql: string; timeout: number }, values: unknown, answered?: Answered) => unknown;

/** mysql2 knows a time-out for each single query, after which the connection is of no use: the late answer would be taken for the next one's. */
function boundStatements(connection: Connection, timeout: number): void {
  const query = connection.query.bind(connection) as QueryOf;
  const bounded: QueryOf = (statement, values, answered) => {
    if (typeof statement !== 'string' || answered === undefined) return query(statement, values, answered);
    return query({ sql: statement, timeout }, values, (error, ...answer) => {
      if (error?.code === 'PROTOCOL_SEQUENCE_TIMEOUT') giveUp(connection, error);
      answered(error, ...answer);
    });
  };
  connection.query = bounded as Connection['query'];
}

/** Connections there are, those of them that nobody uses, and callers who wait for one. */
export type PoolState = { all: number; free: number; queued: number };

/** What MikroORM is given to reach the database by, which also tells how its pool stands. */
export class PooledDialect extends MysqlDialect {
  constructor(private readonly pool: Pool) {
    super({ pool });
  }

  /** mysql2 has no public way to ask; a metric that it takes away shows as NaN. */
  state(): PoolState {
    const pool = this.pool as Pool & Partial<Record<'_allConnections' | '_freeConnections' | '_connectionQueue', { length: number }>>;
    return { all: pool._allConnections?.length ?? NaN, free: pool._freeConnections?.length ?? NaN, queued: pool._connectionQueue?.length ?? NaN };
  }
}
