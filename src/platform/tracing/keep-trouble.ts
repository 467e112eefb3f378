import { SpanStatusCode, type Context, trace } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace';

/** Spans begun and not ended that are watched; more than all requests and jobs of a process together. */
const OPEN_MAX = 20_000;

/** A request or a job of this process with all that follows from it. */
type Unit = { spans: ReadableSpan[]; hasTrouble: boolean; isDecided: boolean; isKept: boolean };

/**
 * Decides at the end of each request or job whether its spans are exported: those with trouble always, of the others a share by their trace id, so that
 * all processes keep the same traces. (Deciding at the beginning would lose nearly all trouble with money whenever the share is small.)
 */
export class KeepTrouble implements SpanProcessor {
  private readonly units = new Map<string, Unit>();

  /** `share`: 0 to 1. */
  constructor(private readonly exported: SpanProcessor, private readonly share: number) {}

  onStart(span: Span, parent: Context): void {
    if (this.units.size >= OPEN_MAX) return;
    const parentSpan = trace.getSpanContext(parent);
    const unit = parentSpan === undefined || parentSpan.isRemote === true ? undefined : this.units.get(parentSpan.spanId);
    this.units.set(span.spanContext().spanId, unit ?? { spans: [], hasTrouble: false, isDecided: false, isKept: false });
  }

  onEnd(span: ReadableSpan): void {
    const { spanId, traceId } = span.spanContext();
    const unit = this.units.get(spanId);
    if (unit === undefined) return;
    this.units.delete(spanId);
    unit.spans.push(span);
    unit.hasTrouble ||= span.status.code === SpanStatusCode.ERROR;
    const isRoot = span.parentSpanContext === undefined || span.parentSpanContext.isRemote === true;
    if (isRoot) unit.isDecided = true;
    if (!unit.isDecided) return;
    // What ends after its request was answered follows the same decision, and may still turn it.
    unit.isKept ||= unit.hasTrouble || Number.parseInt(traceId.slice(0, 8), 16) < this.share * 0x1_0000_0000;
    if (unit.isKept) for (const ended of unit.spans.splice(0)) this.exported.onEnd(ended);
  }

  forceFlush(): Promise<void> {
    return this.exported.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.exported.shutdown();
  }
}
