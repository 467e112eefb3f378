/** One request an emulator received. `status` stays null while no answer has begun, for ever if it was cut. */
export interface LoggedRequest {
  /** Milliseconds since 1970. */
  at: number;
  method: string;
  /** Without the query. */
  path: string;
  query: string;
  /** `<test|live>_<suffix>` of the key, null if the key is not well formed. */
  merchant: string | null;
  status: number | null;
  /** The kind of fault that was played on it. */
  fault: string | null;
}

const ENTRIES_MAX = 10_000;

/** The last 10 000 requests, oldest first. */
export class RequestLog {
  private entries: LoggedRequest[] = [];

  add(entry: LoggedRequest): LoggedRequest {
    this.entries.push(entry);
    // Cut in one go now and then: shifting one by one would cost a copy per request.
    if (this.entries.length >= 2 * ENTRIES_MAX) this.entries = this.entries.slice(-ENTRIES_MAX);
    return entry;
  }

  list(): LoggedRequest[] {
    return this.entries.slice(-ENTRIES_MAX).map((entry) => ({ ...entry }));
  }

  clear(): void {
    this.entries = [];
  }
}
