import { sql, type RawBuilder } from 'kysely';
import type { Database } from '../platform/database/database.js';
import { firstIdAt, newId } from '../shared/id.js';
import type { Tickets } from '../tickets/tickets.js';
import { redacted, type StoredText } from './redaction.js';
import { SCANNED_TABLES, type ScannedTable } from './scanned-tables.js';

const ROWS_AT_ONCE = 200;

/** Where a scan stands: the table, and the key of the last row that was looked at. `since`: rows made before are passed over. */
export type ScanPlace = { since: Date; table: number; after: readonly string[] | null };

type Row = Record<string, StoredText | number | null>;

/** Looks for card numbers in stored text: what is found is redacted where it stands, and becomes a ticket with an alert (docs/security.md). */
export class CardDataScan {
  constructor(private readonly database: Database, private readonly tickets: Tickets) {}

  /** Looks through one portion; tells where the next begins (null: there is none) and in how many rows there were card numbers. */
  async portion({ since, table: number, after }: ScanPlace): Promise<{ next: ScanPlace | null; found: number }> {
    const table = SCANNED_TABLES[number];
    if (table === undefined) return { next: null, found: 0 };
    const rows = await this.rowsAfter(table, since, after);
    let found = 0;
    for (const row of rows) if (await this.redact(table, row)) found += 1;
    const last = rows.at(-1);
    const isAtEnd = last === undefined || rows.length < ROWS_AT_ONCE;
    return { next: isAtEnd ? { since, table: number + 1, after: null } : { since, table: number, after: keyOf(table, last) }, found };
  }

  private async rowsAfter(table: ScannedTable, since: Date, after: readonly string[] | null): Promise<Row[]> {
    const columns = [...new Set(['tenant_id', ...table.key.map(({ column }) => column), ...Object.keys(table.columns), table.paymentColumn ?? 'tenant_id'])];
    const selected = columns.map((column) => (column === 'tenant_id' && table.tenantColumn !== undefined ? sql`${sql.ref(table.tenantColumn)} as tenant_id` : sql.ref(column)));
    const { rows } = await sql<Row>`select ${sql.join(selected)} from ${sql.table(table.table)} where ${sql.ref(table.madeColumn ?? 'created_at')} >= ${since} and ${isBehind(table, after ?? startAt(table, since))}
      order by ${sql.join(table.key.map(({ column }) => sql.ref(column)))} limit ${sql.lit(ROWS_AT_ONCE)}`.execute(this.database.acrossTenants());
    return rows;
  }

  /** Under a guard: what was changed since it was read is found by the next scan. */
  private async redact(table: ScannedTable, row: Row): Promise<boolean> {
    const changes = Object.entries(table.columns).flatMap(([column, form]) => {
      const stored = row[column];
      const clean = typeof stored === 'string' || Buffer.isBuffer(stored) ? redacted(stored, form) : null;
      return clean === null ? [] : [{ column, clean, stored: stored as StoredText }];
    });
    if (changes.length === 0) return false;
    const key = keyOf(table, row);
    const ticketId = newId('tic');
    await this.database.transaction(async (transaction) => {
      for (const { column, clean, stored } of table.isAppendOnly === true ? [] : changes) {
        await sql`update ${sql.table(table.table)} set ${sql.ref(column)} = ${clean} where ${isRow(table, key)} and ${sql.ref(column)} = ${stored}`.execute(transaction.acrossTenants());
      }
      await this.tickets.open(transaction, {
        id: ticketId, tenantId: String(row.tenant_id), kind: 'card_data_found', paymentId: table.paymentColumn === undefined ? null : row[table.paymentColumn] as string | null,
        attemptId: null, subject: `${table.table}:${key.join(':')}`.slice(0, 100),
        evidence: { table: table.table, key, columns: changes.map(({ column }) => column), redacted: table.isAppendOnly !== true },
      });
    });
    return true;
  }
}

/** The key of a row as text, bytes in base64. */
function keyOf(table: ScannedTable, row: Row): string[] {
  return table.key.map(({ column, form }) => (form === 'bytes' ? Buffer.from(row[column] as Buffer).toString('base64') : String(row[column])));
}

function keyValue({ form }: ScannedTable['key'][number], text: string): string | number | Buffer {
  if (form === 'number') return Number(text);
  return form === 'bytes' ? Buffer.from(text, 'base64') : text;
}

/** Ids are ordered by time: of a table with one, what is older need not even be read. */
function startAt(table: ScannedTable, since: Date): readonly string[] | null {
  const prefix = { payments: 'pay', payment_attempts: 'att', tickets: 'tic' } as const;
  return table.table in prefix ? [firstIdAt(prefix[table.table as keyof typeof prefix], since.getTime())] : null;
}

/** `(a, b) > (x, y)`, spelt out so that both databases use the index. */
function isBehind(table: ScannedTable, after: readonly string[] | null): RawBuilder<unknown> {
  if (after === null) return sql`true`;
  const parts = table.key.map((column, index) => {
    const before = table.key.slice(0, index).map((earlier, place) => sql`${sql.ref(earlier.column)} = ${keyValue(earlier, after[place] ?? '')}`);
    return sql`(${sql.join([...before, sql`${sql.ref(column.column)} > ${keyValue(column, after[index] ?? '')}`], sql` and `)})`;
  });
  return sql`(${sql.join(parts, sql` or `)})`;
}

function isRow(table: ScannedTable, key: readonly string[]): RawBuilder<unknown> {
  return sql.join(table.key.map((column, index) => sql`${sql.ref(column.column)} = ${keyValue(column, key[index] ?? '')}`), sql` and `);
}
