import { Module } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { CLOCK } from '../platform/tokens.js';
import type { Clock } from '../shared/clock.js';
import { CustomersController } from './customers.controller.js';
import { Customers } from './customers.js';

/** Customers who come back. */
@Module({
  controllers: [CustomersController],
  providers: [{ provide: Customers, inject: [Database, CLOCK], useFactory: (database: Database, clock: Clock) => new Customers(database, clock) }],
  exports: [Customers],
})
export class CustomersModule {}
