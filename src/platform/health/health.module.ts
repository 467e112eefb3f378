import { Module, type DynamicModule } from '@nestjs/common';
import { HealthController, READINESS_CHECKS } from './health.controller.js';
import type { ReadinessCheck } from './readiness.js';

/** `/health/live` and `/health/ready`. */
@Module({})
export class HealthModule {
  static forRoot(checks: readonly ReadinessCheck[]): DynamicModule {
    return { module: HealthModule, controllers: [HealthController], providers: [{ provide: READINESS_CHECKS, useValue: checks }] };
  }
}
