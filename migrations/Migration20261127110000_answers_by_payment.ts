import { Migration } from '@mikro-orm/migrations';

/** The payment that a stored answer tells of. It bears being run again. */
export class AnswersByPayment extends Migration {
  override name = 'Migration20261127110000_answers_by_payment';

  override async up(): Promise<void> {
    const made = await this.execute('select 1 from information_schema.columns where table_schema = database() and table_name = ? and column_name = ?', ['idempotency_keys', 'payment_id']);
    if (made.length === 0) this.addSql('alter table idempotency_keys add column payment_id varchar(32) collate ascii_bin null, add index idempotency_keys_payment (tenant_id, payment_id)');
  }
}
