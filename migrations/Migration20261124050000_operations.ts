import { Migration } from '@mikro-orm/migrations';

/** What is done with reserved money: the operation whose end is not known, and until when the money is reserved. */
export class Operations extends Migration {
  override name = 'Migration20261124050000_operations';

  override async up(): Promise<void> {
    // Both in one statement, which MySQL and MariaDB do whole or not at all; neither takes IF NOT EXISTS of the other.
    const made = await this.execute("select 1 from information_schema.columns where table_schema = database() and table_name = 'payments' and column_name = 'pending_operation'");
    if (made.length === 0) this.addSql('alter table payments add column pending_operation varchar(10) null, add column authorization_expires_at datetime(3) null');
  }
}
