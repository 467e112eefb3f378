import { Migration } from '@mikro-orm/migrations';

/** Who changed what: entries in a chain for each tenant, and the head of each chain. */
export class Audit extends Migration {
  override name = 'Migration20261124040000_audit';

  override up(): void {
    this.addSql(`create table if not exists audit_entries (
      tenant_id varchar(32) collate ascii_bin not null,
      entry_number int unsigned not null,
      id varchar(32) collate ascii_bin not null,
      created_at datetime(3) not null,
      actor varchar(64) not null,
      action varchar(60) not null,
      subject varchar(64) not null,
      detail mediumtext not null,
      trace_id varchar(64) null,
      previous_hash binary(32) not null,
      hash binary(32) not null,
      primary key (tenant_id, entry_number),
      unique audit_entries_id (tenant_id, id)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);

    this.addSql(`create table if not exists audit_heads (
      tenant_id varchar(32) collate ascii_bin not null,
      entry_number int not null,
      hash binary(32) not null,
      primary key (tenant_id)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);
  }
}
