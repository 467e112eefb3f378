import type { DatabaseAccess } from '../platform/database/database.js';

/** A line of a payment's timeline, as the API shows it. */
export type TimelineEntry = {
  at: string; kind: 'transition' | 'attempt' | 'refund' | 'webhook'; from?: string | null; to?: string; cause: string; attemptId?: string; detail: string | null;
};

/** What others have to tell of a payment. */
export type TimelineSource = (access: DatabaseAccess, tenantId: string, paymentId: string) => Promise<TimelineEntry[]>;

/** Where features downstream of payments add to the timeline: payments know none of them. */
export class TimelineEvents {
  private readonly sources: TimelineSource[] = [];

  addSource(source: TimelineSource): void {
    this.sources.push(source);
  }

  async of(access: DatabaseAccess, tenantId: string, paymentId: string): Promise<TimelineEntry[]> {
    const told: TimelineEntry[] = [];
    for (const source of this.sources) told.push(...await source(access, tenantId, paymentId));
    return told;
  }
}
