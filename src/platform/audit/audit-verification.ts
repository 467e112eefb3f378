import type { Database } from '../database/database.js';
import { CHAIN_START, hashOfEntry } from './audit-chain.js';
import type { AuditEntryRow } from './audit-entry.entity.js';
import { AUDITED } from './audit-trail.js';

const ENTRIES_AT_ONCE = 1_000;

/** What `npm run audit:verify` found; no faults is what everybody hopes for. */
export type AuditVerification = { chains: number; entries: number; linesCompared: number; faults: string[] };

/** `tenant:number` → the hash that a log line of that time shows. */
export type LoggedHashes = ReadonlyMap<string, string>;

/** Reads what the log says was audited; other lines are passed over. */
export async function readLoggedHashes(lines: AsyncIterable<string>): Promise<LoggedHashes> {
  const hashes = new Map<string, string>();
  for await (const line of lines) {
    if (!line.includes(`"${AUDITED}"`)) continue;
    const { msg, tenantId, entryNumber, hash } = parsed(line);
    if (msg === AUDITED && typeof tenantId === 'string' && typeof entryNumber === 'number' && typeof hash === 'string') hashes.set(`${tenantId}:${entryNumber}`, hash);
  }
  return hashes;
}

function parsed(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return {}; // a line of another program
  }
}

/** Goes through every chain: no entry changed, none missing, none added between, none cut off at the end; and as it was logged. */
export async function verifyAudit(database: Database, logged: LoggedHashes = new Map()): Promise<AuditVerification> {
  const result: AuditVerification = { chains: 0, entries: 0, linesCompared: 0, faults: [] };
  const seen = new Set<string>();
  const heads = new Map((await database.acrossTenants().selectFrom('audit_heads').selectAll().execute()).map((head) => [head.tenant_id, head]));
  let last: AuditEntryRow | undefined;

  const endChain = (): void => {
    if (last === undefined) return;
    result.chains += 1;
    const head = heads.get(last.tenant_id);
    heads.delete(last.tenant_id);
    if (head === undefined) result.faults.push(`${last.tenant_id}: the chain has no head`);
    else if (head.entry_number !== last.entry_number || !head.hash.equals(last.hash)) {
      result.faults.push(`${last.tenant_id}: the chain ends at entry ${last.entry_number}, its head says ${head.entry_number}`);
    }
  };

  for await (const entry of entriesOf(database)) {
    if (entry.tenant_id !== last?.tenant_id) {
      endChain();
      last = undefined;
    }
    result.faults.push(...faultsOf(entry, last));
    const name = `${entry.tenant_id}:${entry.entry_number}`;
    const loggedHash = logged.get(name);
    if (loggedHash !== undefined) {
      seen.add(name);
      if (loggedHash !== entry.hash.toString('hex')) result.faults.push(`${entry.tenant_id}: entry ${entry.entry_number} is not the one that was logged`);
    }
    last = entry;
    result.entries += 1;
  }
  endChain();
  for (const [tenantId, { entry_number: count }] of heads) if (count > 0) result.faults.push(`${tenantId}: all ${count} entries are missing`);
  for (const name of logged.keys()) if (!seen.has(name)) result.faults.push(`${name.replace(':', ': entry ')} was logged and is missing`);
  result.linesCompared = seen.size;
  return result;
}

function faultsOf(entry: AuditEntryRow, previous: AuditEntryRow | undefined): string[] {
  const faults: string[] = [];
  const expected = (previous?.entry_number ?? 0) + 1;
  if (entry.entry_number !== expected) faults.push(`${entry.tenant_id}: entry ${expected} is missing before ${entry.entry_number}`);
  if (!entry.previous_hash.equals(previous?.hash ?? CHAIN_START)) faults.push(`${entry.tenant_id}: entry ${entry.entry_number} does not follow the one before it`);
  if (!hashOfEntry(entry).equals(entry.hash)) faults.push(`${entry.tenant_id}: entry ${entry.entry_number} was changed`);
  return faults;
}

/** All entries, chain after chain, read in portions. */
async function* entriesOf(database: Database): AsyncGenerator<AuditEntryRow> {
  let after: AuditEntryRow | undefined;
  for (;;) {
    const { tenant_id: tenantId = '', entry_number: entryNumber = 0 } = after ?? {};
    const rows = await database.acrossTenants().selectFrom('audit_entries').selectAll()
      .where((row) => row.or([row('tenant_id', '>', tenantId), row.and([row('tenant_id', '=', tenantId), row('entry_number', '>', entryNumber)])]))
      .orderBy('tenant_id').orderBy('entry_number').limit(ENTRIES_AT_ONCE).execute();
    yield* rows;
    after = rows.at(-1);
    if (rows.length < ENTRIES_AT_ONCE) return;
  }
}
