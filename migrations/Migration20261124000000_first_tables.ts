import { Migration } from '@mikro-orm/migrations';

/** Each statement bears being run again: DDL commits by itself, so a run that was killed in the middle starts over. */
export class FirstTables extends Migration {
  override name = 'Migration20261124000000_first_tables';

  override up(): void {
    this.addSql(`create table if not exists api_keys (
      id varchar(32) collate ascii_bin not null,
      tenant_id varchar(32) collate ascii_bin not null,
      name varchar(120) not null,
      role varchar(10) not null,
      hash binary(32) not null,
      hint varchar(4) not null,
      created_at datetime(3) not null,
      revoked_at datetime(3) null,
      primary key (id),
      index api_keys_tenant (tenant_id, created_at),
      unique api_keys_hash (hash)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);

    this.addSql(`create table if not exists gateway_accounts (
      id varchar(32) collate ascii_bin not null,
      tenant_id varchar(32) collate ascii_bin not null,
      gateway varchar(32) not null,
      version int not null,
      environment varchar(10) not null,
      enabled tinyint not null,
      credentials_sealed mediumtext not null,
      created_at datetime(3) not null,
      superseded_at datetime(3) null,
      primary key (id),
      unique gateway_accounts_version (tenant_id, gateway, version)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);

    this.addSql(`create table if not exists idempotency_keys (
      tenant_id varchar(32) collate ascii_bin not null,
      idempotency_key varbinary(255) not null,
      fingerprint binary(32) not null,
      state varchar(10) not null,
      owner varchar(32) collate ascii_bin not null,
      lease_ends_at datetime(3) not null,
      attempt_id varchar(32) collate ascii_bin null,
      status_code int not null,
      body mediumblob null,
      created_at datetime(3) not null,
      primary key (tenant_id, idempotency_key),
      index idempotency_keys_attempt (attempt_id),
      index idempotency_keys_created (created_at)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);

    this.addSql(`create table if not exists jobs (
      id varchar(32) collate ascii_bin not null,
      kind varchar(40) not null,
      unique_key varbinary(191) null,
      tenant_id varchar(32) collate ascii_bin not null,
      trace_id varchar(64) null,
      payload mediumtext not null,
      run_at datetime(3) null,
      attempts int not null,
      lease_token varchar(32) collate ascii_bin null,
      last_error varchar(255) null,
      created_at datetime(3) not null,
      primary key (id),
      index jobs_run_at (run_at),
      unique jobs_unique_key (unique_key)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);

    this.addSql(`create table if not exists payments (
      id varchar(32) collate ascii_bin not null,
      tenant_id varchar(32) collate ascii_bin not null,
      version int not null,
      status varchar(20) not null,
      processing_reason varchar(24) null,
      amount_minor bigint not null,
      captured_minor bigint not null,
      currency varchar(3) not null,
      fee_minor bigint null,
      fee_percent_minor bigint null,
      fee_fixed_minor bigint null,
      fee_tax_minor bigint null,
      net_minor bigint null,
      capture_method varchar(10) not null,
      gateway varchar(32) null,
      gateway_reference varbinary(255) null,
      authorization_code varchar(64) null,
      fraud_score varchar(16) null,
      reference varbinary(256) null,
      unique_reference varbinary(256) null,
      description varchar(255) null,
      return_url varchar(2048) null,
      customer mediumtext not null,
      metadata mediumtext not null,
      payment_method mediumtext null,
      tokens_sealed mediumtext null,
      next_action mediumtext null,
      failure mediumtext null,
      plan mediumtext null,
      expires_at datetime(3) null,
      created_at datetime(3) not null,
      updated_at datetime(3) not null,
      primary key (id),
      index payments_created (tenant_id, created_at, id),
      index payments_status (tenant_id, status, created_at, id),
      index payments_reference (tenant_id, reference),
      index payments_gateway_reference (tenant_id, gateway_reference),
      unique payments_unique_reference (tenant_id, unique_reference)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);

    this.addSql(`create table if not exists payment_attempts (
      id varchar(32) collate ascii_bin not null,
      tenant_id varchar(32) collate ascii_bin not null,
      payment_id varchar(32) collate ascii_bin not null,
      gateway varchar(32) not null,
      gateway_account_id varchar(32) collate ascii_bin not null,
      operation varchar(10) not null,
      status varchar(20) not null,
      amount_minor bigint not null,
      currency varchar(3) not null,
      gateway_reference varbinary(255) null,
      code varchar(40) null,
      psp_code varchar(80) null,
      latency_ms int null,
      sent_at datetime(3) not null,
      deadline_at datetime(3) not null,
      look_ups int not null,
      next_look_up_at datetime(3) null,
      first_absent_at datetime(3) null,
      pulled_forward_at datetime(3) null,
      answer mediumtext null,
      unapplied_snapshot mediumtext null,
      created_at datetime(3) not null,
      updated_at datetime(3) not null,
      primary key (id),
      index payment_attempts_payment (tenant_id, payment_id, id)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);

    this.addSql(`create table if not exists payment_transitions (
      tenant_id varchar(32) collate ascii_bin not null,
      payment_id varchar(32) collate ascii_bin not null,
      version int unsigned not null,
      from_status varchar(20) null,
      to_status varchar(20) not null,
      processing_reason varchar(24) null,
      cause varchar(20) not null,
      attempt_id varchar(32) collate ascii_bin null,
      detail varchar(255) null,
      trace_id varchar(64) null,
      created_at datetime(3) not null,
      primary key (tenant_id, payment_id, version)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);

    this.addSql(`create table if not exists tenants (
      id varchar(32) collate ascii_bin not null,
      name varchar(120) not null,
      country varchar(2) not null,
      default_currency varchar(3) not null,
      email varchar(254) not null,
      locale varchar(10) not null,
      time_zone varchar(64) not null,
      created_at datetime(3) not null,
      primary key (id)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);

    this.addSql(`create table if not exists tickets (
      id varchar(32) collate ascii_bin not null,
      tenant_id varchar(32) collate ascii_bin not null,
      kind varchar(40) not null,
      payment_id varchar(32) collate ascii_bin null,
      attempt_id varchar(32) collate ascii_bin null,
      dedupe_key varbinary(191) not null,
      status varchar(10) not null,
      evidence mediumtext not null,
      opened_at datetime(3) not null,
      resolved_at datetime(3) null,
      primary key (id),
      index tickets_payment (tenant_id, payment_id),
      unique tickets_dedupe_key (tenant_id, dedupe_key)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);
  }
}
