import { Global, Module } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { Tickets } from './tickets.js';

/** Tickets, for every feature. */
@Global()
@Module({ providers: [{ provide: Tickets, inject: [Database, Metrics], useFactory: (database: Database, metrics: Metrics) => new Tickets(database, metrics) }], exports: [Tickets] })
export class TicketsModule {}
