import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';

/** Tables of which the service may only read; and those to which it may add, and never change or remove. */
const READ_ONLY = new Set(['migrations']);
const APPEND_ONLY = new Set(['audit_entries']);

/** What the service's database user may do: rows, never tables, and of the audit trail not even that. */
export type GrantOutcome = { account: string; statements: string[]; /** Why they could not be run: an administrator must. */ refusal: string | null };

/** Gives the user of `databaseUrl` what the service needs, as the user of `migratorUrl`. Null when both are the same user, who then may do everything. */
export async function grantService(migratorUrl: string, databaseUrl: string): Promise<GrantOutcome | null> {
  const schema = decodeURIComponent(new URL(databaseUrl).pathname.slice(1));
  const [migrator, service] = await Promise.all([accountOf(migratorUrl), accountOf(databaseUrl)]);
  if (migrator === service) return null;
  return withConnection(migratorUrl, async (connection) => {
    const [tables] = await connection.query<(RowDataPacket & { name: string })[]>(
      "select table_name as name from information_schema.tables where table_schema = ? and table_type = 'BASE TABLE' order by table_name", [schema]);
    const statements = tables.map(({ name }) => `grant ${privilegesOn(name)} on ${identifier(schema)}.${identifier(name)} to ${service}`);
    try {
      for (const statement of statements) await connection.query(statement);
      return { account: service, statements, refusal: null };
    } catch (error) {
      return { account: service, statements, refusal: error instanceof Error ? error.message : String(error) };
    }
  });
}

function privilegesOn(table: string): string {
  if (READ_ONLY.has(table)) return 'select';
  return APPEND_ONLY.has(table) ? 'select, insert' : 'select, insert, update, delete';
}

/** The account as which the server knows the user, quoted: `'smartpay'@'%'`. Asked without naming a database, which the user may not see yet. */
async function accountOf(url: string): Promise<string> {
  const serverUrl = new URL(url);
  serverUrl.pathname = '/';
  return withConnection(serverUrl.href, async (connection) => {
    const [[row]] = await connection.query<(RowDataPacket & { account: string })[]>('select current_user() as account');
    const [, user = '', host = ''] = /^(.*)@([^@]*)$/s.exec(row?.account ?? '') ?? [];
    return `${connection.escape(user)}@${connection.escape(host)}`;
  });
}

function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

async function withConnection<T>(url: string, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await createConnection({ uri: url.replace(/^mariadb:/, 'mysql:'), connectTimeout: 10_000 });
  try {
    return await work(connection);
  } finally {
    await connection.end();
  }
}
