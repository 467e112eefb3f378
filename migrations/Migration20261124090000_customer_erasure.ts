import { Migration } from '@mikro-orm/migrations';

/** When a customer was forgotten. It bears being run again. */
export class CustomerErasure extends Migration {
  override name = 'Migration20261124090000_customer_erasure';

  override async up(): Promise<void> {
    const made = await this.execute('select 1 from information_schema.columns where table_schema = database() and table_name = ? and column_name = ?', ['customers', 'erased_at']);
    if (made.length === 0) this.addSql('alter table customers add column erased_at datetime(3) null');
  }
}
