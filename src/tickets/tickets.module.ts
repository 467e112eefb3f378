import { Global, Module } from '@nestjs/common';
import { Metrics } from '../platform/metrics/metrics.js';
import { Tickets } from './tickets.js';

/** Tickets, for every feature. */
@Global()
@Module({ providers: [{ provide: Tickets, inject: [Metrics], useFactory: (metrics: Metrics) => new Tickets(metrics) }], exports: [Tickets] })
export class TicketsModule {}
