import { randomBytes } from 'node:crypto';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Env } from '../../config/env.js';
import { currentTraceId } from '../http/trace.js';
import { KeepTrouble } from './keep-trouble.js';
import { traceStatements } from './statement-spans.js';

/** A collector that does not answer costs this much and no more. */
const EXPORT_MS_MAX = 2_000;

/** Sends spans to the collector that the environment names. Headers for it come from OTEL_EXPORTER_OTLP_HEADERS, as OpenTelemetry has it. Returns what sends the rest and ends it. */
export function startTracing(endpoint: URL, { traceShare, processName }: { traceShare: Env['traceShare']; processName: string }): () => Promise<void> {
  const exporter = new OTLPTraceExporter({ url: `${endpoint.href.replace(/\/$/, '')}/v1/traces`, timeoutMillis: EXPORT_MS_MAX });
  const batches = new BatchSpanProcessor({ exporter, maxQueueSize: 4_096, maxExportBatchSize: 512, scheduledDelayMillis: 1_000, exportTimeoutMillis: EXPORT_MS_MAX });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'smartpay', 'service.instance.id': `${processName}-${process.pid}` }),
    // Our own trace id where it has OpenTelemetry's form, so that a log line leads to its trace.
    idGenerator: { generateTraceId: () => ownTraceId() ?? randomBytes(16).toString('hex'), generateSpanId: () => randomBytes(8).toString('hex') },
    spanProcessors: [new KeepTrouble(batches, traceShare)],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  const endStatements = traceStatements();
  return async () => {
    endStatements();
    trace.disable();
    context.disable();
    await provider.shutdown().catch(() => undefined); // the collector is away: nothing of ours depends on it
  };
}

function ownTraceId(): string | undefined {
  const traceId = currentTraceId();
  return traceId !== undefined && /^(?!0{32})[0-9a-f]{32}$/.test(traceId) ? traceId : undefined;
}
