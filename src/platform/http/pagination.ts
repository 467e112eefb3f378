import { Problem } from '../../shared/problem.js';

/** The HTTP contract's page sizes. */
export const PAGE_SIZE = 20;
export const PAGE_SIZE_MAX = 100;

/** One page of a list, newest first; `nextCursor` is null on the last. */
export type Page<T> = { data: T[]; nextCursor: string | null };

/** Where a page begins: after what was made then, with this id. */
export type PageStart = { createdAt: Date; id: string };

/** Makes a page of at most `size` from `found`, which holds one more when there is a next page. */
export function pageOf<Row, Shown>(found: readonly Row[], size: number, placeOf: (row: Row) => PageStart, show: (row: Row) => Shown): Page<Shown> {
  const rows = found.slice(0, size);
  const last = rows.at(-1);
  return { data: rows.map(show), nextCursor: found.length > size && last !== undefined ? cursorAfter(placeOf(last)) : null };
}

/** An opaque text that stands for a place in a list. */
export function cursorAfter({ createdAt, id }: PageStart): string {
  return Buffer.from(`${createdAt.getTime()}:${id}`).toString('base64url');
}

/** @throws Problem `invalid_cursor` unless `cursorAfter` made it, by its form. */
export function readCursor(cursor: string): PageStart {
  const bytes = Buffer.from(cursor, 'base64url');
  const [, ms, id] = /^([0-9]{1,13}):([0-9A-Za-z_]{1,64})$/.exec(bytes.toString('latin1')) ?? [];
  if (ms === undefined || id === undefined || bytes.toString('base64url') !== cursor) throw new Problem('invalid_cursor', 'Send nextCursor of the page before, unchanged.');
  return { createdAt: new Date(Number(ms)), id };
}
