import { Global, Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import type { Env } from '../config/env.js';
import { systemClock, type Clock } from '../shared/clock.js';
import { AuditTrail } from './audit/audit-trail.js';
import { SecretBox } from './crypto/secret-box.js';
import { Database } from './database/database.js';
import { IdempotencyKeys } from './idempotency/idempotency-keys.js';
import { JobQueue } from './jobs/job-queue.js';
import { CLOCK, ENV } from './tokens.js';

/** What every feature stands on. */
@Global()
@Module({})
export class PlatformModule implements OnApplicationShutdown {
  constructor(@Inject(Database) private readonly database: Database) {}

  static forRoot(env: Env, database: Database, clock: Clock = systemClock): DynamicModule {
    const providers = [
      { provide: ENV, useValue: env },
      { provide: CLOCK, useValue: clock },
      { provide: Database, useValue: database },
      { provide: SecretBox, useValue: new SecretBox(env.encryptionKeys) },
      { provide: AuditTrail, useValue: new AuditTrail() },
      { provide: JobQueue, useValue: new JobQueue(database) },
      { provide: IdempotencyKeys, useValue: new IdempotencyKeys(env.idempotencyLeaseMs) },
    ];
    return { module: PlatformModule, providers, exports: providers.map(({ provide }) => provide) };
  }

  /** Last of all: everybody else has stopped by now. */
  async onApplicationShutdown(): Promise<void> {
    await this.database.close();
  }
}
