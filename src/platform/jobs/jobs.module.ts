import { Inject, Module, type DynamicModule, type InjectionToken, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Env } from '../../config/env.js';
import { Database } from '../database/database.js';
import { ENV } from '../tokens.js';
import { JobQueue } from './job-queue.js';
import { JobRunner, type JobHandler } from './job-runner.js';

/** Runs jobs in this process, with the handlers that features bring. */
@Module({})
export class JobsModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(private readonly runner: JobRunner, @Inject(ENV) private readonly env: Env) {}

  static forHandlers(imports: NonNullable<DynamicModule['imports']>, handlers: readonly InjectionToken[]): DynamicModule {
    return {
      module: JobsModule, imports,
      providers: [{
        provide: JobRunner, inject: [Database, JobQueue, ENV, ...handlers],
        useFactory: (database: Database, queue: JobQueue, env: Env, ...found: JobHandler[]) => new JobRunner(database, queue, found, { pollMs: env.jobPollMs, leaseMs: env.jobLeaseMs }),
      }],
    };
  }

  onApplicationBootstrap(): void {
    this.runner.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.runner.stop(this.env.shutdownMs);
  }
}
