// Everything that the floor says to the database, in order. The same durable rows as a payment of the service leaves, and not one statement more.

/** Of a new connection: what the service sets, too. */
export const SESSION = [
  'set session transaction isolation level read committed',
  "set session innodb_lock_wait_timeout = 5, time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
];

/** Who asks. Outside any transaction. */
export const FIND_CALLER = `select api_keys.id, api_keys.tenant_id, api_keys.role, tenants.locale from api_keys
  inner join tenants on tenants.id = api_keys.tenant_id where api_keys.hash = ? and api_keys.revoked_at is null`;

const insert = (table, columns, values = columns.map(() => '?').join(', ')) => `insert into ${table} (${columns.join(', ')}) values (${values})`;
const inMs = (ms) => `date_add(now(3), interval ${ms * 1000} microsecond)`;

/** The first transaction, between `begin` and `commit`: what must be durable before the PSP hears of the payment. */
export const CLAIM_KEY = insert('idempotency_keys',
  ['tenant_id', 'idempotency_key', 'fingerprint', 'state', 'owner', 'lease_ends_at', 'attempt_id', 'status_code', 'body', 'created_at'],
  `?, ?, ?, 'running', ?, ${inMs(35_000)}, ?, 201, null, now(3)`);

const PAYMENT_COLUMNS = ['id', 'tenant_id', 'version', 'status', 'amount_minor', 'captured_minor', 'currency', 'capture_method',
  'gateway', 'reference', 'description', 'customer', 'metadata', 'payment_method', 'tokens_sealed', 'plan', 'created_at', 'updated_at'];
export const INSERT_PAYMENT = insert('payments', PAYMENT_COLUMNS);

export const INSERT_ATTEMPT = insert('payment_attempts',
  ['id', 'tenant_id', 'payment_id', 'gateway', 'gateway_account_id', 'operation', 'status', 'amount_minor', 'currency', 'sent_at',
    'deadline_at', 'look_ups', 'created_at', 'updated_at'],
  `?, ?, ?, 'culqi', ?, 'authorize', 'sent', ?, ?, now(3), ${inMs(15_000)}, 0, ?, ?`);

const TRANSITION_COLUMNS = ['tenant_id', 'payment_id', 'version', 'from_status', 'to_status', 'cause', 'attempt_id', 'trace_id', 'created_at'];
/** Both steps at once: made, sent. */
export const INSERT_FIRST_TRANSITIONS = insert('payment_transitions', TRANSITION_COLUMNS,
  "?, ?, 1, null, 'created', 'request', null, ?, ?), (?, ?, 2, 'created', 'processing', 'request', ?, ?, ?");

export const INSERT_JOB = insert('jobs', ['id', 'kind', 'unique_key', 'tenant_id', 'trace_id', 'payload', 'run_at', 'attempts', 'created_at'],
  `?, 'look_up', ?, ?, ?, ?, ${inMs(35_000)}, 0, now(3)`);

/** The second transaction: what the PSP said, and the answer that is given to whoever comes again with the key. */
export const CAPTURE_PAYMENT = `update payments set version = 3, status = 'captured', captured_minor = amount_minor, fee_minor = ?,
  fee_percent_minor = ?, fee_fixed_minor = 0, fee_tax_minor = ?, net_minor = ?, gateway_reference = ?, authorization_code = ?, fraud_score = ?,
  payment_method = ?, updated_at = ?
  where tenant_id = ? and id = ? and version = 2`;
export const INSERT_LAST_TRANSITION = insert('payment_transitions', TRANSITION_COLUMNS, "?, ?, 3, 'processing', 'captured', 'reply', ?, ?, ?");
export const CLOSE_ATTEMPT = `update payment_attempts set status = 'captured', gateway_reference = ?, psp_code = ?, latency_ms = ?, answer = ?,
  updated_at = ?
  where tenant_id = ? and id = ?`;
export const DROP_JOB = 'delete from jobs where unique_key = ?';
export const FINISH_KEY = `update idempotency_keys set state = 'done', status_code = 201, body = ?
  where tenant_id = ? and idempotency_key = ? and state = 'running' and owner = ?`;
