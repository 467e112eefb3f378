import { sql } from 'kysely';
import type { Database } from '../database/database.js';
import type { SecretBox } from './secret-box.js';

/** A column that holds sealed text, in a table with `id` and `tenant_id`. */
export type SealedColumn = { table: string; column: string };

/** `left`: rows that another key has sealed meanwhile: somebody still writes with it. */
export type Resealing = { resealed: number; left: number };

const ROWS_AT_ONCE = 200;

type SealedRow = { id: string; tenant_id: string; sealed: string };

/**
 * Seals anew, with the first key, whatever another key has sealed. Row by row and guarded, beside everything else that the service does: what was
 * changed meanwhile is left alone, and every row opens at any time. @throws Error naming the row that opens with none of the keys.
 */
export async function reseal(database: Database, secretBox: SecretBox, { table, column }: SealedColumn): Promise<Resealing> {
  const [place, sealed] = [sql.table(table), sql.ref(column)];
  const otherKeys = async function* (): AsyncGenerator<SealedRow> {
    for (let after = ''; ;) {
      const { rows } = await sql<SealedRow>`select id, tenant_id, ${sealed} as sealed from ${place}
        where id > ${after} and ${sealed} is not null and left(${sealed}, ${sql.lit(secretBox.prefix.length)}) <> ${secretBox.prefix}
        order by id limit ${sql.lit(ROWS_AT_ONCE)}`.execute(database.acrossTenants());
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.id;
    }
  };

  let resealed = 0;
  for await (const row of otherKeys()) {
    const { numAffectedRows = 0n } = await sql`update ${place} set ${sealed} = ${resealedText(secretBox, table, row)}
      where id = ${row.id} and ${sealed} = ${row.sealed}`.execute(database.acrossTenants());
    resealed += Number(numAffectedRows);
  }
  let left = 0;
  for await (const { id } of otherKeys()) if (id !== '') left += 1;
  return { resealed, left };
}

function resealedText(secretBox: SecretBox, table: string, { id, tenant_id: tenantId, sealed }: SealedRow): string {
  try {
    return secretBox.seal(secretBox.open(sealed, tenantId), tenantId);
  } catch (error) {
    throw new Error(`${table} ${id} opens with none of ENCRYPTION_KEYS`, { cause: error });
  }
}
