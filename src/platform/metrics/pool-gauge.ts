import type { Database } from '../database/database.js';
import type { Metrics } from './metrics.js';

/** Shows the pool of connections: `all` of them, those that are `free`, and callers `queued` for one. */
export function collectPool(metrics: Metrics, database: Database): void {
  const connections = metrics.gauge({
    name: 'smartpay_database_pool_connections', labelNames: ['state'], help: 'Connections to the database: all, free of them, and callers queued for one.',
    collect: () => { for (const [state, count] of Object.entries(database.poolState())) connections.set({ state }, count); },
  });
}
