import type { Database } from '../platform/database/database.js';
import type { Job, JobQueue } from '../platform/jobs/job-queue.js';
import type { JobHandler } from '../platform/jobs/job-runner.js';
import type { Clock } from '../shared/clock.js';
import type { CardDataScan, ScanPlace } from './card-data-scan.js';

export const CARD_DATA_SCAN_JOB = 'card_data.scan';

const DAY_MS = 86_400_000;
/** Rows are looked at again for so long after they were made, since they may change: longer than a payment's whole look-up schedule. */
const CHANGES_WITHIN_MS = 10 * DAY_MS;
/** Portions of one run: a job is done well before its lease ends. */
const PORTIONS_AT_ONCE = 10;

/** Looks through what was stored in the last days, once a day and in small portions. */
export class CardDataScanJob implements JobHandler {
  readonly kind = CARD_DATA_SCAN_JOB;
  readonly isRecurring = true;

  constructor(private readonly scan: CardDataScan, private readonly database: Database, private readonly jobs: JobQueue, private readonly clock: Clock) {}

  async handle(job: Job): Promise<void> {
    let place: ScanPlace | null = this.placeOf(job);
    for (let count = 0; count < PORTIONS_AT_ONCE && place !== null; count++) place = (await this.scan.portion(place)).next;
    if (place === null) await this.jobs.postpone(this.database, job, DAY_MS, {});
    else await this.jobs.postpone(this.database, job, 0, { since: place.since.toISOString(), table: String(place.table), after: JSON.stringify(place.after) });
  }

  /** Where the run before stopped, or the beginning. */
  private placeOf({ payload: { since, table, after } }: Job): ScanPlace {
    if (since === undefined || table === undefined || after === undefined) return { since: new Date(this.clock.now().getTime() - CHANGES_WITHIN_MS), table: 0, after: null };
    return { since: new Date(since), table: Number(table), after: JSON.parse(after) as string[] | null };
  }
}
