import type {
  DeleteQueryBuilder, DeleteResult, Expression, Insertable, InsertQueryBuilder, InsertResult, Kysely, SelectQueryBuilder, UpdateQueryBuilder, UpdateResult,
} from 'kysely';
import type { Tables, TenantTable } from './tables.js';

type Columns<T extends TenantTable> = Omit<Insertable<Tables[T]>, 'tenant_id'>;
/** A row without its tenant; a value may be an expression of SQL. */
type OwnColumns<T extends TenantTable> = { [C in keyof Columns<T>]: Columns<T>[C] | Expression<Columns<T>[C]> };

/**
 * One tenant's part of the database: every statement made here carries the tenant's id, so that no feature can forget it (invariant I15).
 * Kysely cannot type a statement over a table that is a type parameter; the casts that this costs stand here and nowhere else.
 */
export class TenantScope {
  constructor(private readonly connection: Kysely<Tables>, readonly tenantId: string) {}

  selectFrom<T extends TenantTable>(table: T): SelectQueryBuilder<Tables, T, object> {
    const query = this.connection.selectFrom(table as never) as unknown as SelectQueryBuilder<Tables, T, object>;
    return query.where(`${table}.tenant_id` as never, '=', this.tenantId as never);
  }

  updateTable<T extends TenantTable>(table: T): UpdateQueryBuilder<Tables, T, T, UpdateResult> {
    const query = this.connection.updateTable(table as never) as unknown as UpdateQueryBuilder<Tables, T, T, UpdateResult>;
    return query.where('tenant_id' as never, '=', this.tenantId as never);
  }

  deleteFrom<T extends TenantTable>(table: T): DeleteQueryBuilder<Tables, T, DeleteResult> {
    const query = this.connection.deleteFrom(table as never) as unknown as DeleteQueryBuilder<Tables, T, DeleteResult>;
    return query.where('tenant_id' as never, '=', this.tenantId as never);
  }

  insertInto<T extends TenantTable>(table: T, rows: OwnColumns<T> | readonly OwnColumns<T>[]): InsertQueryBuilder<Tables, T, InsertResult> {
    const list = Array.isArray(rows) ? rows as readonly OwnColumns<T>[] : [rows as OwnColumns<T>];
    const query = this.connection.insertInto(table as never) as unknown as InsertQueryBuilder<Tables, T, InsertResult>;
    return query.values(list.map((row) => ({ ...row, tenant_id: this.tenantId })) as never);
  }
}
