import { Module, type DynamicModule } from '@nestjs/common';
import { DRAIN_MS, HealthController, READINESS_CHECKS } from './health.controller.js';
import type { ReadinessCheck } from './readiness.js';

/** `/health/live` and `/health/ready`. */
@Module({})
export class HealthModule {
  /** `drainMs`: how long a process that was told to stop goes on answering. */
  static forRoot(checks: readonly ReadinessCheck[], { drainMs }: { drainMs: number }): DynamicModule {
    return { module: HealthModule, controllers: [HealthController], providers: [{ provide: READINESS_CHECKS, useValue: checks }, { provide: DRAIN_MS, useValue: drainMs }] };
  }
}
