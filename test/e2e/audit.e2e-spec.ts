import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { verifyAudit } from '../../src/platform/audit/audit-verification.js';
import { newMerchant, startInstance, startService, type Merchant, type Service } from '../support/service.js';
import { PLATFORM_ADMIN_KEY, testEnvironment } from '../support/settings.js';

type Entry = { id: string; entryNumber: number; actor: string; action: string; subject: string; detail: Record<string, unknown>; hash: string; traceId: string };
type Entries = { data: Entry[]; nextCursor: string | null };

let service: Service;
const logs = mkdtempSync(join(tmpdir(), 'smartpay-audit-'));
beforeAll(async () => { service = await startService({ LOG_CAPTURE_DIR: logs }); }, 30_000);
afterAll(async () => {
  await service.close();
  rmSync(logs, { recursive: true });
});

let shop: Merchant;
beforeEach(async () => { shop = await newMerchant(service.ask); });

const admin = (tail: string): string => `/v1/admin/tenants/${shop.tenantId}/${tail}`;
const entries = async (query = ''): Promise<Entries> => (await service.ask<Entries>({ path: admin(`audit-entries${query}`), key: shop.admin })).body;
/** `npm run audit:verify`, compiled. */
const verifyByCommand = (...args: string[]): Promise<{ code: number; output: string }> => new Promise((resolve) => {
  execFile(process.execPath, [join(import.meta.dirname, '../../dist/src/verify-audit.js'), ...args], { env: testEnvironment(service.tables.url, service.sandbox.url) }, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
  });
});

describe('whoever changes keys or accounts', () => {
  it('is in the audit trail, with what was changed and by whom, and without any secret', async () => {
    const made = await service.ask<{ id: string; key: string }>({ method: 'POST', path: admin('api-keys'), key: shop.admin, body: { name: 'till', role: 'client' } });
    await service.ask({ method: 'DELETE', path: admin(`api-keys/${made.body.id}`), key: PLATFORM_ADMIN_KEY });
    await service.ask({ method: 'DELETE', path: admin(`api-keys/${made.body.id}`), key: PLATFORM_ADMIN_KEY }); // again changes nothing
    const { data } = await entries();
    const keys = (await service.ask<{ data: { id: string; role: string }[] }>({ path: admin('api-keys'), key: shop.admin })).body.data;
    const adminKeyId = keys.find(({ role }) => role === 'admin')?.id;
    expect(data.map(({ entryNumber, action, actor }) => [entryNumber, action, actor])).toEqual([
      [7, 'api_key.revoked', 'platform'],
      [6, 'api_key.created', adminKeyId],
      [5, 'api_key.created', 'platform'],
      [4, 'api_key.created', 'platform'],
      [3, 'api_key.created', 'platform'],
      [2, 'gateway_account.changed', 'platform'],
      [1, 'tenant.created', 'platform'],
    ]);
    expect(data[1]).toMatchObject({ subject: made.body.id, detail: { role: 'client' } });
    expect(data[5]?.detail).toEqual({ gateway: 'culqi', version: 1, environment: 'sandbox', enabled: true });
    for (const secret of [made.body.key, shop.culqi.secretKey, shop.culqi.secretKey.slice(8)]) expect(JSON.stringify(data)).not.toContain(secret);
  });

  it('changes nothing when the trail cannot be written', async () => {
    const other = await newMerchant(service.ask);
    await service.tables.query('update audit_heads set entry_number = entry_number - 1 where tenant_id = ?', [other.tenantId]); // the next entry's number is taken
    const refused = await service.ask({ method: 'POST', path: `/v1/admin/tenants/${other.tenantId}/api-keys`, key: other.admin, body: { name: 'untold', role: 'admin' } });
    expect(refused.status).toBe(500);
    expect(await service.tables.query("select id from api_keys where name = 'untold'")).toEqual([]);
    await service.tables.query('update audit_heads set entry_number = entry_number + 1 where tenant_id = ?', [other.tenantId]);
  });

  it('stands in one chain, however many change at once', async () => {
    await Promise.all(Array.from({ length: 12 }, () => service.ask({ method: 'POST', path: admin('api-keys'), key: shop.admin, body: { name: 'till', role: 'client' } })));
    const { data } = await entries('?limit=100');
    expect(data.map(({ entryNumber }) => entryNumber)).toEqual(Array.from({ length: 17 }, (_, index) => 17 - index));
    expect((await verifyAudit(service.database)).faults).toEqual([]);
  });
});

it('the trail comes in pages, newest first, to admins of the tenant alone', async () => {
  const first = await entries('?limit=3');
  const second = await entries(`?limit=3&cursor=${first.nextCursor ?? ''}`);
  expect([...first.data, ...second.data].map(({ entryNumber }) => entryNumber)).toEqual([5, 4, 3, 2, 1]);
  expect(second.nextCursor).toBeNull();
  expect(await entries(`?to=2020-01-01T00:00:00Z`)).toEqual({ data: [], nextCursor: null });
  expect((await service.ask({ path: admin('audit-entries'), key: shop.operator })).status).toBe(403);
  const other = await newMerchant(service.ask);
  expect((await service.ask({ path: admin('audit-entries'), key: other.admin })).status).toBe(404);
});

describe('npm run audit:verify', () => {
  /** What an intruder with the database's own rights does to one merchant's chain, and what is said of it. */
  const CRIMES: [crime: string, statements: string[], fault: RegExp][] = [
    ['changes who did it', ["update audit_entries set actor = 'platform' where tenant_id = ? and entry_number = 3", "update audit_entries set actor = 'nobody' where tenant_id = ? and entry_number = 3"], /entry 3 was changed/],
    ['changes when', ['update audit_entries set created_at = date_add(created_at, interval 1 hour) where tenant_id = ? and entry_number = 2'], /entry 2 was changed/],
    ['removes one', ['delete from audit_entries where tenant_id = ? and entry_number = 3'], /entry 3 is missing before 4/],
    ['cuts off the end', ['delete from audit_entries where tenant_id = ? and entry_number = 5'], /ends at entry 4, its head says 5/],
    ['removes all', ['delete from audit_entries where tenant_id = ?'], /all 5 entries are missing/],
    ['removes the head', ['delete from audit_heads where tenant_id = ?'], /has no head/],
    ['puts a new hash to what it changed', ["update audit_entries set actor = 'nobody', hash = sha2('x', 256) where tenant_id = ? and entry_number = 4".replace("sha2('x', 256)", "unhex(sha2('x', 256))")], /entry 5 does not follow/],
  ];
  it.each(CRIMES)('tells when somebody %s', async (_, statements, fault) => {
    const before = (await verifyAudit(service.database)).faults;
    for (const statement of statements) await service.tables.query(statement, [shop.tenantId]);
    const found = (await verifyAudit(service.database)).faults.filter((each) => !before.includes(each));
    expect(found.join('\n')).toMatch(fault);
    expect(found.every((each) => each.startsWith(shop.tenantId))).toBe(true);
    for (const table of ['audit_entries', 'audit_heads']) await service.tables.query(`delete from ${table} where tenant_id = ?`, [shop.tenantId]);
  });

  it('tells by the log of that time that a whole chain was made anew', async () => {
    const log = join(logs, `copy-${randomUUID()}.log`);
    writeFileSync(log, readdirSync(logs).filter((name) => !name.startsWith('copy')).map((name) => readFileSync(join(logs, name), 'utf8')).join('')
      .split('\n').filter((line) => line.includes(shop.tenantId)).join('\n'));
    expect(await verifyByCommand('--log', log)).toMatchObject({ code: 0, output: expect.stringMatching(/\d+ entries in \d+ chains, 5 compared with the log: whole/) as unknown });

    const { body } = await service.ask<{ id: string }>({ method: 'POST', path: '/v1/admin/tenants', key: PLATFORM_ADMIN_KEY, body: { name: 'Otra', country: 'PE', defaultCurrency: 'PEN', email: 'o@b.pe' } });
    // A right chain, under the name of the one that it replaces: its hashes hold, and are others.
    await service.tables.query('delete from audit_entries where tenant_id = ?', [shop.tenantId]);
    await service.tables.query('delete from audit_heads where tenant_id = ?', [shop.tenantId]);
    await service.ask({ method: 'POST', path: admin('api-keys'), key: shop.admin, body: { name: 'first', role: 'client' } });
    expect((await verifyByCommand()).code).toBe(0);
    const { code, output } = await verifyByCommand('--log', log);
    expect(code).toBe(1);
    expect(output).toContain(`${shop.tenantId}: entry 1 is not the one that was logged`);
    expect(output).toContain(`${shop.tenantId}: entry 5 was logged and is missing`);
    expect(body.id).toMatch(/^ten_/);
  }, 20_000);
});

it('an entry is added once also when the answer to its COMMIT was lost', async () => {
  const { AuditTrail } = await import('../../src/platform/audit/audit-trail.js');
  const { newId } = await import('../../src/shared/id.js');
  const entry = { id: newId('aud'), tenantId: shop.tenantId, createdAt: new Date(), actor: 'command', action: 'test', subject: 'x', detail: {} };
  for (const run of [1, 2]) await service.database.transaction((transaction) => new AuditTrail().append(transaction, { ...entry, detail: { run } }));
  expect((await entries()).data.filter(({ id }) => id === entry.id)).toMatchObject([{ detail: { run: 1 } }]);
  expect((await verifyAudit(service.database)).faults.filter((fault) => fault.startsWith(shop.tenantId))).toEqual([]);
});

it('every instance adds to the same chain', async () => {
  const other = await startInstance(service.tables.url, service.sandbox.url, { WORKER: 'off', LOG_CAPTURE_DIR: logs });
  try {
    await other.ask({ method: 'POST', path: admin('api-keys'), key: shop.admin, body: { name: 'there', role: 'client' } });
    expect((await entries()).data[0]).toMatchObject({ entryNumber: 6, action: 'api_key.created' });
  } finally {
    await other.app.close();
  }
});
