import { type SentWebhook } from './webhook-sender.js';

/** Rows shown of each table: the newest. */
const ROWS_MAX = 200;

/** What a reader looks for first. */
const FIRST = ['id', 'txn_id', 'refund_id', 'merchant', 'status', 'approved', 'amount', 'currency', 'currency_code', 'amount_refunded', 'refunded'];

/** A page with an emulator's books, for people who look at a demo: one table for each kind of thing, newest first. */
export function booksPage(books: unknown, webhooks: readonly SentWebhook[]): string {
  const lists = Object.entries({ ...(books as object), webhooks } as Record<string, unknown>).flatMap(([name, rows]) => (Array.isArray(rows) ? [{ name, rows: rows as Record<string, unknown>[] }] : []));
  const tables = lists.map(({ name, rows }) => `<h2>${escaped(name)} <small>${rows.length}</small></h2>${tableOf(rows.slice(-ROWS_MAX).reverse())}`).join('\n');
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Books of the emulator</title><meta http-equiv="refresh" content="5"><style>
body{font:14px/1.5 system-ui,sans-serif;margin:2rem;color:#1c2330}h2{margin:2rem 0 .5rem;text-transform:capitalize}small{color:#6b7689;font-weight:400}
div{overflow-x:auto}table{border-collapse:collapse;font-size:12px}th,td{border-bottom:1px solid #dfe4ec;padding:.3rem .6rem;text-align:left;white-space:nowrap;max-width:22rem;overflow:hidden;text-overflow:ellipsis}
th{background:#f4f6f9}</style></head><body><h1>Books of the emulator</h1>${tables}</body></html>`;
}

function tableOf(rows: readonly Record<string, unknown>[]): string {
  if (rows.length === 0) return '<p>None.</p>';
  const named = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = [...FIRST.filter((name) => named.includes(name)), ...named.filter((name) => !FIRST.includes(name))];
  const line = (row: Record<string, unknown>): string => `<tr>${columns.map((column) => `<td>${escaped(shown(row[column]))}</td>`).join('')}</tr>`;
  return `<div><table><tr>${columns.map((column) => `<th>${escaped(column)}</th>`).join('')}</tr>${rows.map(line).join('')}</table></div>`;
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return '';
  // Milliseconds since 1970, as the PSPs write them.
  if (typeof value === 'number' && value > 1_500_000_000_000 && value < 5_000_000_000_000) return new Date(value).toISOString();
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
