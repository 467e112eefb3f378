import { MikroORM, type Options } from '@mikro-orm/mysql';
import { Database } from './database.js';

/** Opens the database without connecting yet: a database that is down is waited for, not a reason to end. */
export async function openDatabase(options: Options): Promise<Database> {
  return new Database(await MikroORM.init({ ...options, connect: false } as Options));
}
