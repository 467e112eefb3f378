import { sql, type RawBuilder } from 'kysely';

/** Now, by the database's clock: the one clock that all replicas share. */
export const databaseNow = (): RawBuilder<Date> => sql<Date>`now(3)`;

/** `delayMs` from now, by the database's clock. */
export const databaseTimeIn = (delayMs: number): RawBuilder<Date> => sql<Date>`date_add(now(3), interval ${Math.round(delayMs * 1000)} microsecond)`;
