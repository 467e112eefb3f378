import { Module } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { JobQueue } from '../platform/jobs/job-queue.js';
import { CLOCK } from '../platform/tokens.js';
import type { Clock } from '../shared/clock.js';
import { Tickets } from '../tickets/tickets.js';
import { CardDataScan } from './card-data-scan.js';
import { CardDataScanJob } from './card-data-scan.job.js';

/** The daily search of stored text for card numbers. */
@Module({
  providers: [{
    provide: CardDataScanJob, inject: [Database, Tickets, JobQueue, CLOCK],
    useFactory: (database: Database, tickets: Tickets, jobs: JobQueue, clock: Clock) => new CardDataScanJob(new CardDataScan(database, tickets), database, jobs, clock),
  }],
  exports: [CardDataScanJob],
})
export class CardDataModule {}
