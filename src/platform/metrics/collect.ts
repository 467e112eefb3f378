import { collectDefaultMetrics } from 'prom-client';
import type { Database } from '../database/database.js';
import { collectJobs } from './job-gauges.js';
import type { Metrics } from './metrics.js';
import { collectPool } from './pool-gauge.js';

/** Measures what only matters where somebody can ask for it: the process, the jobs, the pool. */
export function collectProcess(metrics: Metrics, database: Database, jobKinds: readonly string[]): void {
  collectDefaultMetrics({ register: metrics.registry });
  collectJobs(metrics, database, jobKinds);
  collectPool(metrics, database);
}
