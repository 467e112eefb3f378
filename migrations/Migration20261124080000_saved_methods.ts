import { Migration } from '@mikro-orm/migrations';

/** Cards that PSPs keep for customers. It bears being run again. */
export class SavedMethods extends Migration {
  override name = 'Migration20261124080000_saved_methods';

  override up(): void {
    this.addSql(`create table if not exists saved_methods (
      id varchar(32) collate ascii_bin not null,
      tenant_id varchar(32) collate ascii_bin not null,
      customer_id varchar(32) collate ascii_bin not null,
      gateway varchar(32) not null,
      environment varchar(10) not null,
      reference_sealed mediumtext not null,
      is_default tinyint not null,
      brand varchar(30) null,
      last4 varchar(4) null,
      bin varchar(8) null,
      funding varchar(10) null,
      expiry_month int null,
      expiry_year int null,
      created_at datetime(3) not null,
      updated_at datetime(3) not null,
      primary key (id),
      index saved_methods_customer (tenant_id, customer_id, created_at, id)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);
  }
}
