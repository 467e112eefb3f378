/** The parts of a driver error that we act on; found also inside wrappers. */
type DriverError = { errno?: number; code?: string; message?: string; fatal?: boolean; cause?: unknown };

const ER_LOCK_DEADLOCK = 1213;
const ER_LOCK_WAIT_TIMEOUT = 1205;
/** MariaDB with innodb_snapshot_isolation: the row changed since it was read (trap T12). */
const ER_CHECKREAD = 1020;
const ER_DUP_ENTRY = 1062;
/** It takes in nothing for the moment: its disk is full (1021, 1026, 1114; 1030 with the system's own number), or it may only be read, as after a failover (1290, 1792, 1836). */
const CANNOT_WRITE: ReadonlySet<number> = new Set([1021, 1026, 1030, 1114, 1290, 1792, 1836]);

/** Any connection may be lost so, a gateway's too: the driver marks what befell one of its own as fatal. */
const NETWORK = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNREFUSED', 'ECONNABORTED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN']);
const CONNECTION_LOST = new Set([
  'PROTOCOL_CONNECTION_LOST', 'PROTOCOL_SEQUENCE_TIMEOUT',
  'ER_SERVER_SHUTDOWN', 'ER_CON_COUNT_ERROR', 'ER_NORMAL_SHUTDOWN', 'ER_CONNECTION_KILLED', 'ER_QUERY_INTERRUPTED',
]);

function chain(error: unknown): DriverError[] {
  const errors: DriverError[] = [];
  for (let current = error; typeof current === 'object' && current !== null && errors.length < 5; current = (current as DriverError).cause) {
    errors.push(current);
  }
  return errors;
}

/** The transaction met another one and was, or must be, rolled back whole; running it again from its reads is right. */
export function metAnotherTransaction(error: unknown): boolean {
  return chain(error).some(({ errno }) => errno === ER_LOCK_DEADLOCK || errno === ER_LOCK_WAIT_TIMEOUT || errno === ER_CHECKREAD);
}

/** The connection is gone or was never had. At COMMIT this leaves open whether the transaction is durable. */
export function lostConnection(error: unknown): boolean {
  return chain(error).some(({ code, message, fatal }) =>
    (code !== undefined && (CONNECTION_LOST.has(code) || (fatal === true && NETWORK.has(code)))) || /Queue limit reached|Pool is closed|closed state/.test(message ?? ''));
}

/** Nothing was written, and nothing is wrong with what was to be: the database can take it in later. */
export function cannotWrite(error: unknown): boolean {
  return chain(error).some(({ errno }) => errno !== undefined && CANNOT_WRITE.has(errno));
}

/** Trouble of the database's own, which ends: asked again later, the same request may go well. */
export function isUnavailable(error: unknown): boolean {
  return lostConnection(error) || metAnotherTransaction(error) || cannotWrite(error);
}

/** A unique key, or the one named, already holds the value. MySQL names the key `table.key`, MariaDB `key`. */
export function isDuplicate(error: unknown, key?: string): boolean {
  return chain(error).some(({ errno, message }) =>
    errno === ER_DUP_ENTRY && (key === undefined || new RegExp(`for key '(?:[^'.]+\\.)?${key}'`).test(message ?? '')));
}
