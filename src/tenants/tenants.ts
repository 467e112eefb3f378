import type { Actor, AuditTrail } from '../platform/audit/audit-trail.js';
import type { Database } from '../platform/database/database.js';
import type { Clock } from '../shared/clock.js';
import type { FeeRule } from '../shared/fees.js';
import { isId, newId } from '../shared/id.js';
import { Problem } from '../shared/problem.js';
import type { TenantRow } from './entities/tenant.entity.js';
import { storedFeeRules } from './fee-rules.js';
import { settingsOf, type Settings } from './tenant-settings.js';

export type Tenant = {
  id: string; name: string; country: string; defaultCurrency: string; email: string; locale: string; timeZone: string;
  /** What another provider would charge. */
  referenceFees: FeeRule[];
  settings: Settings;
  createdAt: Date;
};
export type NewTenant = Omit<Tenant, 'id' | 'createdAt'>;

/** The merchants that use the service. */
export class Tenants {
  constructor(private readonly database: Database, private readonly audit: AuditTrail, private readonly clock: Clock) {}

  async create(tenant: NewTenant, actor: Actor): Promise<Tenant> {
    const made: Tenant = { ...tenant, id: newId('ten'), createdAt: this.clock.now() };
    const entry = { id: newId('aud'), tenantId: made.id, createdAt: made.createdAt, actor, action: 'tenant.created', subject: made.id, detail: { country: made.country, defaultCurrency: made.defaultCurrency } };
    await this.database.transaction(async (transaction) => {
      await transaction.acrossTenants().insertInto('tenants').values({ id: made.id, created_at: made.createdAt, ...columnsOf(made) }).onDuplicateKeyUpdate({ name: made.name }).execute();
      await this.audit.append(transaction, entry);
    });
    return made;
  }

  /** Changes what is named; what is not stays. @throws Problem `not_found` */
  async update(id: string, changes: Partial<NewTenant>, actor: Actor): Promise<Tenant> {
    const entryId = newId('aud');
    const createdAt = this.clock.now();
    return this.database.transaction(async (transaction) => {
      const row = isId('ten', id) ? await transaction.acrossTenants().selectFrom('tenants').selectAll().where('id', '=', id).forUpdate().executeTakeFirst() : undefined;
      if (row === undefined) throw new Problem('not_found', 'There is no such tenant.');
      const changed: Tenant = { ...tenantOf(row), ...changes };
      await transaction.acrossTenants().updateTable('tenants').set(columnsOf(changed)).where('id', '=', id).execute();
      // The names alone: what they were set to may be personal.
      await this.audit.append(transaction, { id: entryId, tenantId: id, createdAt, actor, action: 'tenant.changed', subject: id, detail: { changed: Object.keys(changes).sort() } });
      return changed;
    });
  }

  /** @throws Problem `not_found` */
  async find(id: string): Promise<Tenant> {
    const row = isId('ten', id) ? await this.database.acrossTenants().selectFrom('tenants').selectAll().where('id', '=', id).executeTakeFirst() : undefined;
    if (row === undefined) throw new Problem('not_found', 'There is no such tenant.');
    return tenantOf(row);
  }
}

function tenantOf(row: TenantRow): Tenant {
  return {
    id: row.id, name: row.name, country: row.country, defaultCurrency: row.default_currency, email: row.email, locale: row.locale, timeZone: row.time_zone,
    referenceFees: storedFeeRules(row.reference_fees), settings: settingsOf(row.settings), createdAt: row.created_at,
  };
}

function columnsOf(tenant: NewTenant): Omit<TenantRow, 'id' | 'created_at'> {
  return {
    name: tenant.name, country: tenant.country, default_currency: tenant.defaultCurrency, email: tenant.email, locale: tenant.locale, time_zone: tenant.timeZone,
    reference_fees: JSON.stringify(tenant.referenceFees), settings: JSON.stringify(tenant.settings),
  };
}
