import { MariaDbDriver } from '@mikro-orm/mariadb';
import { Migrator } from '@mikro-orm/migrations';
import { MySqlDriver, type Options } from '@mikro-orm/mysql';
import { MIGRATIONS } from '../migrations/migrations.js';
import { CustomerSchema } from './customers/entities/customer.entity.js';
import { SavedMethodSchema } from './customers/entities/saved-method.entity.js';
import { PaymentAttemptSchema } from './payments/entities/payment-attempt.entity.js';
import { PaymentTransitionSchema } from './payments/entities/payment-transition.entity.js';
import { PaymentSchema } from './payments/entities/payment.entity.js';
import { RefundSchema } from './payments/entities/refund.entity.js';
import { ResolutionSchema } from './payments/entities/resolution.entity.js';
import { AuditEntrySchema } from './platform/audit/audit-entry.entity.js';
import { AuditHeadSchema } from './platform/audit/audit-head.entity.js';
import { openPool, PooledDialect } from './platform/database/pool.js';
import { IdempotencyKeySchema } from './platform/idempotency/idempotency-key.entity.js';
import { JobSchema } from './platform/jobs/job.entity.js';
import { ApiKeySchema } from './tenants/entities/api-key.entity.js';
import { GatewayAccountSchema } from './tenants/entities/gateway-account.entity.js';
import { TenantSchema } from './tenants/entities/tenant.entity.js';
import { TicketSchema } from './tickets/entities/ticket.entity.js';
import { WebhookEventSchema } from './webhooks/inbound/entities/webhook-event.entity.js';

/** How MikroORM reaches the database: the driver by the URL's scheme, over our own pool of at most `connectionsMax`, each statement answered within `statementMsMax`. */
export function ormOptions(databaseUrl: string, connectionsMax: number, statementMsMax?: number): Options {
  const url = new URL(databaseUrl);
  return {
    driver: url.protocol === 'mariadb:' ? MariaDbDriver : MySqlDriver,
    driverOptions: new PooledDialect(openPool(databaseUrl, connectionsMax, statementMsMax)),
    dbName: decodeURIComponent(url.pathname.slice(1)),
    entities: [
      TenantSchema, ApiKeySchema, GatewayAccountSchema, CustomerSchema, SavedMethodSchema, PaymentSchema, PaymentAttemptSchema, PaymentTransitionSchema, RefundSchema, ResolutionSchema, WebhookEventSchema,
      IdempotencyKeySchema, JobSchema, TicketSchema, AuditEntrySchema, AuditHeadSchema,
    ],
    extensions: [Migrator],
    // What matters is logged by ourselves; the ORM's own lines are no JSON.
    logger: () => undefined,
    charset: 'utf8mb4',
    collate: 'utf8mb4_bin',
    timezone: 'Z',
    migrations: {
      migrationsList: MIGRATIONS, path: 'dist/migrations', pathTs: 'migrations', tableName: 'migrations',
      snapshot: true, snapshotName: 'schema-snapshot', snapshotOnMigrate: false, allOrNothing: false,
    },
  };
}

/** For the command line of MikroORM (`mikro-orm migration:create`). */
export default (): Options => ormOptions(process.env.DATABASE_URL ?? 'mariadb://root@127.0.0.1:3306/smartpay', 2);
