import { Migration } from '@mikro-orm/migrations';

/** What two people found, and how tickets end. Each statement bears being run again. */
export class Resolutions extends Migration {
  override name = 'Migration20261124100000_resolutions';

  override async up(): Promise<void> {
    this.addSql(`create table if not exists resolutions (
      id varchar(32) collate ascii_bin not null,
      tenant_id varchar(32) collate ascii_bin not null,
      payment_id varchar(32) collate ascii_bin not null,
      refund_id varchar(32) collate ascii_bin null,
      outcome varchar(10) not null,
      gateway_reference varbinary(255) null,
      evidence varchar(2000) not null,
      status varchar(10) not null,
      proposed_by varchar(32) collate ascii_bin not null,
      proposed_at datetime(3) not null,
      approved_by varchar(32) collate ascii_bin null,
      approved_at datetime(3) null,
      primary key (id),
      index resolutions_payment (tenant_id, payment_id, id)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);

    const made = await this.execute('select 1 from information_schema.columns where table_schema = database() and table_name = ? and column_name = ?', ['tickets', 'refund_id']);
    if (made.length === 0) {
      this.addSql(`alter table tickets add column refund_id varchar(32) collate ascii_bin null, add column resolution varchar(500) null, add column resolved_by varchar(32) collate ascii_bin null,
        add index tickets_opened (tenant_id, opened_at, id)`);
    }
  }
}
