import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { DatabaseAccess } from '../database/database.js';

/** A metric without its registry. Labels hold only what a table of ours bounds: never a tenant, an id or anything a client or a PSP wrote. */
export type MetricOutline<Label extends string> = { name: `smartpay_${string}`; help: string; labelNames?: readonly Label[] };

/** The metrics of one instance of the application. Never those of the process: tests run several instances in one. */
export class Metrics {
  readonly registry = new Registry();

  counter<Label extends string = never>(outline: MetricOutline<Label>): Counter<Label> {
    return new Counter({ ...outline, registers: [this.registry] });
  }

  /** `buckets` are upper bounds in the unit of the metric's name. */
  histogram<Label extends string = never>(outline: MetricOutline<Label> & { buckets: number[] }): Histogram<Label> {
    return new Histogram({ ...outline, registers: [this.registry] });
  }

  /** A value that `collect` sets whenever somebody asks. */
  gauge<Label extends string = never>(outline: MetricOutline<Label> & { collect: () => Promise<void> | void }): Gauge<Label> {
    return new Gauge({ ...outline, registers: [this.registry] });
  }

  /** Counts one once the transaction has committed. */
  countAfterCommit<Label extends string>(access: DatabaseAccess, counter: Counter<Label>, labels: Record<Label, string>): void {
    access.afterCommit(() => { counter.inc(labels); });
  }
}
