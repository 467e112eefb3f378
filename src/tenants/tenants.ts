import type { Actor, AuditTrail } from '../platform/audit/audit-trail.js';
import type { Database } from '../platform/database/database.js';
import type { Clock } from '../shared/clock.js';
import { isId, newId } from '../shared/id.js';
import { Problem } from '../shared/problem.js';

export type Tenant = { id: string; name: string; country: string; defaultCurrency: string; email: string; locale: string; timeZone: string; createdAt: Date };
export type NewTenant = Omit<Tenant, 'id' | 'createdAt'>;

/** The merchants that use the service. */
export class Tenants {
  constructor(private readonly database: Database, private readonly audit: AuditTrail, private readonly clock: Clock) {}

  async create(tenant: NewTenant, actor: Actor): Promise<Tenant> {
    const made: Tenant = { ...tenant, id: newId('ten'), createdAt: this.clock.now() };
    const entry = { id: newId('aud'), tenantId: made.id, createdAt: made.createdAt, actor, action: 'tenant.created', subject: made.id, detail: { country: made.country, defaultCurrency: made.defaultCurrency } };
    await this.database.transaction(async (transaction) => {
      await transaction.acrossTenants().insertInto('tenants').values({
        id: made.id, name: made.name, country: made.country, default_currency: made.defaultCurrency, email: made.email,
        locale: made.locale, time_zone: made.timeZone, created_at: made.createdAt,
      }).onDuplicateKeyUpdate({ name: made.name }).execute();
      await this.audit.append(transaction, entry);
    });
    return made;
  }

  /** @throws Problem `not_found` */
  async find(id: string): Promise<Tenant> {
    const row = isId('ten', id) ? await this.database.acrossTenants().selectFrom('tenants').selectAll().where('id', '=', id).executeTakeFirst() : undefined;
    if (row === undefined) throw new Problem('not_found', 'There is no such tenant.');
    return {
      id: row.id, name: row.name, country: row.country, defaultCurrency: row.default_currency, email: row.email,
      locale: row.locale, timeZone: row.time_zone, createdAt: row.created_at,
    };
  }
}
