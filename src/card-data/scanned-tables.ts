/** How a column holds text: plain, as JSON (whose strings are looked at), or either as bytes. */
export type TextForm = 'text' | 'json' | 'text_bytes' | 'json_bytes';

/** A table with text that came from outside. The rows are gone through in the order of `key`, in which all tables but the small ones begin with a tenant or are ordered by time. */
export type ScannedTable = {
  table: string;
  key: readonly { column: string; form: 'text' | 'bytes' | 'number' }[];
  columns: Readonly<Record<string, TextForm>>;
  /** The column that names the payment, for the ticket. */
  paymentColumn?: string;
  /** When a row was made; `created_at` unless said. */
  madeColumn?: string;
  /** What may not be changed is only reported. */
  isAppendOnly?: true;
  /** Tables without `tenant_id` hold tenants. */
  tenantColumn?: 'id';
};

const ID = [{ column: 'id', form: 'text' }] as const;

/** Every column that could hold a card number which somebody wrote in the wrong place; the test compares it with the schema. */
export const SCANNED_TABLES: readonly ScannedTable[] = [
  { table: 'tenants', key: ID, columns: { name: 'text', email: 'text' }, tenantColumn: 'id' },
  { table: 'api_keys', key: ID, columns: { name: 'text' } },
  {
    table: 'customers', key: ID,
    columns: { external_id: 'text_bytes', email: 'text', first_name: 'text', last_name: 'text', phone: 'text', address: 'json', document: 'json', metadata: 'json' },
  },
  { table: 'saved_methods', key: ID, columns: { brand: 'text', last4: 'text', bin: 'text', funding: 'text' } },
  {
    table: 'payments', key: ID, paymentColumn: 'id',
    columns: {
      reference: 'text_bytes', unique_reference: 'text_bytes', description: 'text', return_url: 'text', customer: 'json', metadata: 'json', payment_method: 'json', next_action: 'json', failure: 'json', three_ds: 'json',
    },
  },
  { table: 'payment_attempts', key: ID, paymentColumn: 'payment_id', columns: { psp_code: 'text', answer: 'json', unapplied_snapshot: 'json' } },
  { table: 'resolutions', key: ID, paymentColumn: 'payment_id', madeColumn: 'proposed_at', columns: { evidence: 'text' } },
  {
    table: 'payment_transitions', paymentColumn: 'payment_id', columns: { detail: 'text' },
    key: [{ column: 'tenant_id', form: 'text' }, { column: 'payment_id', form: 'text' }, { column: 'version', form: 'number' }],
  },
  { table: 'idempotency_keys', key: [{ column: 'tenant_id', form: 'text' }, { column: 'idempotency_key', form: 'bytes' }], columns: { body: 'json_bytes' } },
  { table: 'jobs', key: ID, columns: { payload: 'json', last_error: 'text' } },
  { table: 'refunds', key: ID, paymentColumn: 'payment_id', columns: { failure: 'json' } },
  { table: 'webhook_events', key: ID, paymentColumn: 'payment_id', columns: { topic: 'text', event_id: 'text_bytes', our_reference: 'text_bytes', refund_reference: 'text_bytes' } },
  { table: 'tickets', key: ID, paymentColumn: 'payment_id', madeColumn: 'opened_at', columns: { evidence: 'json', resolution: 'text' } },
  { table: 'audit_entries', key: [{ column: 'tenant_id', form: 'text' }, { column: 'entry_number', form: 'number' }], columns: { subject: 'text', detail: 'json' }, isAppendOnly: true },
];

/** Columns with text of our own alone: ids, words, hashes, sealed text. */
export const NOT_SCANNED: readonly RegExp[] = [
  /\.(id|tenant_id|kind|status|state|role|hash|hint|owner|code|fingerprint|trace_id|lease_token|unique_key|dedupe_key|action|actor|outcome|proposed_by|approved_by|resolved_by|previous_hash|body_hash|origin|reason|fees|settings|reference_fees)$/,
  /\.\w*(_id|_sealed|_status|_reason|_code|_operation)$/, /\.(gateway|lane|operation|environment|cause|currency|default_currency|country|locale|time_zone|capture_method|fraud_score|fee_source|plan)$/,
  /\.(gateway_reference|idempotency_key)$/, // compared byte by byte with the PSP's and the client's own: refused at the door, and worthless when changed
  /^migrations\./,
];
