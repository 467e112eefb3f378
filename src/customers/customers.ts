import { isDuplicate } from '../platform/database/database-errors.js';
import type { Database, DatabaseAccess, Transaction } from '../platform/database/database.js';
import type { PageStart } from '../platform/http/pagination.js';
import type { Clock } from '../shared/clock.js';
import { isId, newId } from '../shared/id.js';
import { Problem } from '../shared/problem.js';
import { withoutNulls } from '../shared/without-nulls.js';
import { customerColumns, customerOf, type CustomerFacts, type CustomerRecord } from './customer.js';

export type NewCustomer = CustomerFacts & Pick<CustomerRecord, 'externalId' | 'email' | 'metadata'>;
export type CustomerFilter = { email?: string | undefined; externalId?: string | undefined; from?: Date | undefined; to?: Date | undefined };

/** A customer as an order names them: one of ours by id, with what is said beside it, or somebody who need not come back. */
export type CustomerNamed = { id?: string };

/** The customers of tenants. */
export class Customers {
  constructor(private readonly database: Database, private readonly clock: Clock) {}

  /** Makes a customer; one with this `externalId` that is there already is found instead. */
  async create(tenantId: string, customer: NewCustomer): Promise<{ customer: CustomerRecord; isNew: boolean }> {
    const now = this.clock.now();
    const made: CustomerRecord = { ...customer, id: newId('cus'), tenantId, createdAt: now, updatedAt: now };
    try {
      await this.database.forTenant(tenantId).insertInto('customers', { ...customerColumns(made), erased_at: null }).execute();
      return { customer: made, isNew: true };
    } catch (error) {
      if (customer.externalId === null || !isDuplicate(error, 'customers_external_id')) throw error;
      const [found] = await this.search(tenantId, { externalId: customer.externalId }, null, 1);
      if (found === undefined) throw error;
      return { customer: found, isNew: false };
    }
  }

  /** Changes what is named; what is not stays. @throws Problem `not_found`; `duplicate_reference` when another customer has the `externalId` */
  async update(tenantId: string, id: string, changes: Partial<NewCustomer>): Promise<CustomerRecord> {
    try {
      return await this.change(tenantId, id, changes);
    } catch (error) {
      if (changes.externalId == null || !isDuplicate(error, 'customers_external_id')) throw error;
      const [found] = await this.search(tenantId, { externalId: changes.externalId }, null, 1);
      throw new Problem('duplicate_reference', 'Another customer has this externalId.', { errors: [{ field: 'externalId', message: 'is another customer\'s' }], extra: found === undefined ? {} : { existingId: found.id } });
    }
  }

  private async change(tenantId: string, id: string, changes: Partial<NewCustomer>): Promise<CustomerRecord> {
    return this.database.transaction(async (transaction) => {
      const changed: CustomerRecord = { ...await this.lock(transaction, tenantId, id), ...changes, updatedAt: this.clock.now() };
      const { id: _id, created_at: _createdAt, ...columns } = customerColumns(changed);
      await transaction.forTenant(tenantId).updateTable('customers').set(columns).where('id', '=', id).execute();
      return changed;
    });
  }

  /** @throws Problem `not_found` */
  async find(access: DatabaseAccess, tenantId: string, id: string): Promise<CustomerRecord> {
    const customer = await this.known(access, tenantId, id);
    if (customer === null) throw noSuchCustomer();
    return customer;
  }

  /** Holds the customer's row until the transaction ends. @throws Problem `not_found` */
  async lock(transaction: Transaction, tenantId: string, id: string): Promise<CustomerRecord> {
    const row = isId('cus', id) ? await transaction.forTenant(tenantId).selectFrom('customers').selectAll().where('id', '=', id).where('erased_at', 'is', null).forUpdate().executeTakeFirst() : undefined;
    if (row === undefined) throw noSuchCustomer();
    return customerOf(row);
  }

  /** Customers of a tenant, newest first, at most `limit`. */
  async search(tenantId: string, filter: CustomerFilter, after: PageStart | null, limit: number): Promise<CustomerRecord[]> {
    let query = this.database.forTenant(tenantId).selectFrom('customers').selectAll().where('erased_at', 'is', null);
    if (filter.email !== undefined) query = query.where('email', '=', filter.email);
    if (filter.externalId !== undefined) query = query.where('external_id', '=', Buffer.from(filter.externalId));
    if (filter.from !== undefined) query = query.where('created_at', '>=', filter.from);
    if (filter.to !== undefined) query = query.where('created_at', '<', filter.to);
    if (after !== null) {
      query = query.where((row) => row.or([row('created_at', '<', after.createdAt), row.and([row('created_at', '=', after.createdAt), row('id', '<', after.id)])]));
    }
    const rows = await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
    return rows.map(customerOf);
  }

  /** Fills what an order does not say of its customer from what is known of them. @throws Problem `validation_failed` when the id names nobody */
  async complete<T extends CustomerNamed>(access: DatabaseAccess, tenantId: string, named: T): Promise<Omit<T, 'id'> & { email: string }> {
    const { id, ...said } = named;
    if (id === undefined) return said as Omit<T, 'id'> & { email: string };
    const customer = await this.known(access, tenantId, id);
    if (customer === null) throw new Problem('validation_failed', 'The request is not valid.', { errors: [{ field: 'customer.id', message: 'names no customer' }] });
    const { email, firstName, lastName, phone, country, address, document } = customer;
    return { ...withoutNulls({ email, firstName, lastName, phone, country, address, document }), ...said };
  }

  /** @throws Problem `invalid_state` when the customer was erased */
  async refuseErased(access: DatabaseAccess, tenantId: string, id: string): Promise<void> {
    if (await this.known(access, tenantId, id) === null) throw new Problem('invalid_state', 'The customer was erased.');
  }

  /** Null for nobody, and for somebody who was erased. */
  private async known(access: DatabaseAccess, tenantId: string, id: string): Promise<CustomerRecord | null> {
    const row = isId('cus', id) ? await access.forTenant(tenantId).selectFrom('customers').selectAll().where('id', '=', id).where('erased_at', 'is', null).executeTakeFirst() : undefined;
    return row === undefined ? null : customerOf(row);
  }
}

export function noSuchCustomer(): Problem {
  return new Problem('not_found', 'There is no such customer.');
}
