import { Migration } from '@mikro-orm/migrations';

/** What keeps a card, and that it leaves before its PSP has forgotten it; all cards by their age. It bears being run again. */
export class MethodForgetting extends Migration {
  override name = 'Migration20261127100000_method_forgetting';

  override async up(): Promise<void> {
    const made = await this.execute('select 1 from information_schema.columns where table_schema = database() and table_name = ? and column_name = ?', ['saved_methods', 'leaving_at']);
    if (made.length === 0) {
      this.addSql(`alter table saved_methods add column gateway_account_id varchar(32) collate ascii_bin null, add column leaving_at datetime(3) null, modify column reference_sealed mediumtext null,
        add index saved_methods_created (tenant_id, created_at, id)`);
    }
  }
}
