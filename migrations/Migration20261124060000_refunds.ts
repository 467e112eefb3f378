import { Migration } from '@mikro-orm/migrations';

/** The columns that each table gains. */
const ADDED: Readonly<Record<string, readonly string[]>> = {
  payments: ['fee_source varchar(8) null', 'savings_minor bigint null', 'refund_count int not null default 0', 'three_ds mediumtext null'],
  payment_attempts: ['refund_id varchar(32) collate ascii_bin null', 'returns_attempt_id varchar(32) collate ascii_bin null'],
  payment_transitions: ['refund_id varchar(32) collate ascii_bin null'],
  gateway_accounts: ['fees mediumtext null', 'settings mediumtext null'],
  tenants: ['settings mediumtext null', 'reference_fees mediumtext null'],
};

/** Refunds, incoming webhooks, and what fees and limits a tenant sets. Each statement bears being run again. */
export class Refunds extends Migration {
  override name = 'Migration20261124060000_refunds';

  override async up(): Promise<void> {
    this.addSql(`create table if not exists refunds (
      id varchar(32) collate ascii_bin not null,
      tenant_id varchar(32) collate ascii_bin not null,
      payment_id varchar(32) collate ascii_bin not null,
      version int not null,
      status varchar(20) not null,
      origin varchar(10) not null,
      amount_minor bigint not null,
      currency varchar(3) not null,
      reason varchar(30) null,
      failure mediumtext null,
      gateway_reference varbinary(255) null,
      created_at datetime(3) not null,
      updated_at datetime(3) not null,
      primary key (id),
      index refunds_payment (tenant_id, payment_id, id),
      index refunds_created (tenant_id, created_at, id),
      index refunds_status (tenant_id, status, created_at, id)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);

    this.addSql(`create table if not exists webhook_events (
      id varchar(32) collate ascii_bin not null,
      tenant_id varchar(32) collate ascii_bin not null,
      gateway varchar(32) not null,
      dedupe_key binary(32) not null,
      topic varchar(80) not null,
      event_id varbinary(255) not null,
      status varchar(20) not null,
      is_proven tinyint not null,
      gateway_reference varbinary(255) null,
      our_reference varbinary(255) null,
      refund_reference varbinary(255) null,
      payment_id varchar(32) collate ascii_bin null,
      deliveries int not null,
      body_hash binary(32) not null,
      created_at datetime(3) not null,
      updated_at datetime(3) not null,
      primary key (id),
      unique webhook_events_dedupe_key (tenant_id, gateway, dedupe_key),
      index webhook_events_created (tenant_id, created_at, id),
      index webhook_events_payment (tenant_id, payment_id),
      index webhook_events_reference (tenant_id, gateway, gateway_reference)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);

    // One statement for each table, which MySQL and MariaDB do whole or not at all; neither takes IF NOT EXISTS of the other.
    for (const [table, columns] of Object.entries(ADDED)) {
      const last = columns.at(-1)?.split(' ')[0] ?? '';
      const made = await this.execute('select 1 from information_schema.columns where table_schema = database() and table_name = ? and column_name = ?', [table, last]);
      if (made.length === 0) this.addSql(`alter table ${table} ${columns.map((column) => `add column ${column}`).join(', ')}`);
    }
    // The default was for the rows that were there.
    this.addSql('alter table payments alter column refund_count drop default');
  }
}
