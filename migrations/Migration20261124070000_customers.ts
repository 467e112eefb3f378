import { Migration } from '@mikro-orm/migrations';

/** Customers, and the payments of each. Each statement bears being run again. */
export class Customers extends Migration {
  override name = 'Migration20261124070000_customers';

  override async up(): Promise<void> {
    this.addSql(`create table if not exists customers (
      id varchar(32) collate ascii_bin not null,
      tenant_id varchar(32) collate ascii_bin not null,
      external_id varbinary(256) null,
      email varchar(254) not null,
      first_name varchar(80) null,
      last_name varchar(80) null,
      phone varchar(30) null,
      country varchar(2) null,
      address mediumtext null,
      document mediumtext null,
      metadata mediumtext not null,
      created_at datetime(3) not null,
      updated_at datetime(3) not null,
      primary key (id),
      unique customers_external_id (tenant_id, external_id),
      index customers_created (tenant_id, created_at, id),
      index customers_email (tenant_id, email)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);

    const made = await this.execute('select 1 from information_schema.columns where table_schema = database() and table_name = ? and column_name = ?', ['payments', 'customer_id']);
    if (made.length === 0) this.addSql('alter table payments add column customer_id varchar(32) collate ascii_bin null, add index payments_customer (tenant_id, customer_id, created_at, id)');
  }
}
