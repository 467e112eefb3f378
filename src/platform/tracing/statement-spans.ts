import { tracingChannel } from 'node:diagnostics_channel';
import { SpanKind, type Span } from '@opentelemetry/api';
import { failSpan, tracer } from './span.js';

/** What mysql2 tells of a statement. `query` has its values in it. */
type Statement = { query?: unknown; error?: { code?: string } };

const OPERATION_AND_TABLE = /^\s*(?:\/\*.*?\*\/\s*)*([a-z]+)\b(?:.*?\b(?:from|into|update)\s+[`"]?([a-z_]+)[`"]?)?/is;

/** One span for each statement, of which it tells the first word and the table: the text holds values. Returns what ends it. */
export function traceStatements(): () => void {
  const spans = new WeakMap<object, Span>();
  const subscribers = {
    start: (statement: object) => {
      const { operation, table } = outlineOf((statement as Statement).query);
      spans.set(statement, tracer().startSpan(table === undefined ? operation : `${operation} ${table}`, {
        kind: SpanKind.CLIENT, attributes: { 'db.system.name': 'mysql', 'db.operation.name': operation, ...(table === undefined ? {} : { 'db.collection.name': table }) },
      }));
    },
    end: () => undefined,
    asyncStart: (statement: object) => { spans.get(statement)?.end(); },
    asyncEnd: () => undefined,
    error: (statement: object) => {
      const span = spans.get(statement);
      if (span !== undefined) failSpan(span, (statement as Statement).error?.code ?? 'unknown');
    },
  };
  const channel = tracingChannel('mysql2:query');
  channel.subscribe(subscribers);
  return () => { channel.unsubscribe(subscribers); };
}

function outlineOf(query: unknown): { operation: string; table: string | undefined } {
  const text = typeof query === 'string' ? query.slice(0, 300) : '';
  const [, operation = 'statement', table] = OPERATION_AND_TABLE.exec(text) ?? [];
  const fromUpdate = /^\s*update\s+[`"]?([a-z_]+)/i.exec(text)?.[1];
  return { operation: operation.toLowerCase(), table: fromUpdate ?? table };
}
