import { Migration } from '@mikro-orm/migrations';

/** What a job's work waits for, so that what stands still holds up nothing else. It bears being run again. */
export class JobLanes extends Migration {
  override name = 'Migration20261127010000_job_lanes';

  override async up(): Promise<void> {
    const made = await this.execute('select 1 from information_schema.columns where table_schema = database() and table_name = ? and column_name = ?', ['jobs', 'lane']);
    if (made.length === 0) this.addSql('alter table jobs add column lane varchar(32) null, add index jobs_lane (lane, run_at)');
  }
}
