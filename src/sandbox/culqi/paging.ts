import { type Answer } from '../emulator/exchange.js';
import { parameterError } from './culqi-error.js';
import { wholeOf } from './field-rules.js';

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 100;
/** The envelope names the real host, as recorded: a client that follows the link leaves the emulator, so use the cursors. */
const LIST_URL = 'https://api.culqi.com/v2/';

/** One of Culqi's lists: its name, what is in it, newest first, and which entries the query asks for. */
export interface Listed<Entry extends { id: string }> {
  name: string;
  newestFirst: readonly Entry[];
  isWanted: (entry: Entry) => boolean;
  viewOf: (entry: Entry) => unknown;
  /** Whether the envelope counts what is left; recorded for charges, null for refunds. */
  countsRest: boolean;
}

/** Answers a list by `limit`, and `before` or `after` (culqi.md §1.11). */
export function pageOf<Entry extends { id: string }>(query: URLSearchParams, { name, newestFirst, isWanted, viewOf, countsRest }: Listed<Entry>): Answer {
  const limit = query.get('limit') ?? String(LIMIT_DEFAULT);
  if (wholeOf(limit) === null || Number(limit) < 1 || Number(limit) > LIMIT_MAX) return parameterError('limit');
  const [before, after] = [query.get('before'), query.get('after')];
  if (before !== null && after !== null) return parameterError('before');
  const cursor = before ?? after;
  // A cursor may stand on an entry that the filters hide, so it is placed among all.
  const place = newestFirst.findIndex(({ id }) => id === cursor);
  if (cursor !== null && place === -1) return parameterError(before === null ? 'after' : 'before');
  const onSide = (before === null ? newestFirst.slice(place + 1) : newestFirst.slice(0, place)).filter(isWanted);
  const page = before === null ? onSide.slice(0, Number(limit)) : onSide.slice(-Number(limit));
  const [first, last] = [page.at(0), page.at(-1)];
  if (first === undefined || last === undefined) return { status: 200, json: { data: [], paging: { previous: null, next: null, cursors: { before: null, after: null }, remaining_items: 0 } } };
  const remaining = onSide.length - page.length;
  const linkOf = (side: 'before' | 'after', id: string): string => {
    const link = new URLSearchParams(query);
    link.delete('before');
    link.delete('after');
    link.append(side, id);
    return `${LIST_URL}${name}?${link.toString()}`;
  };
  return {
    status: 200,
    json: {
      data: page.map(viewOf),
      // The first page has a `previous` all the same, as recorded; only `next` ends.
      paging: {
        previous: linkOf('before', first.id), next: before === null && remaining === 0 ? null : linkOf('after', last.id),
        cursors: { before: first.id, after: last.id }, remaining_items: countsRest ? remaining : null,
      },
    },
  };
}
