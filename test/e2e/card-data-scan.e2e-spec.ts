import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NOT_SCANNED, SCANNED_TABLES } from '../../src/card-data/scanned-tables.js';
import { newId } from '../../src/shared/id.js';
import { createPayment, mintToken, paymentOf } from '../support/payments.js';
import { newMerchant, startInstance, startService, type Merchant, type Service } from '../support/service.js';
import { testEnvironment } from '../support/settings.js';

const PAN = '4111 1111 1111 1111';
const BARE = '5555555555554444';
const MASK = '[card number]';

let service: Service;
let shop: Merchant;
let paymentId: string;
beforeAll(async () => {
  service = await startService({ WORKER: 'off' });
  shop = await newMerchant(service.ask);
  paymentId = (await createPayment(service, shop.client, paymentOf(await mintToken(service.sandbox.url, shop), { reference: 'ORD-1', metadata: { plan: 'basic' } }))).body.id;
}, 30_000);
afterAll(() => service.close());

/** `npm run card-data:scan`, compiled. */
const scan = (): Promise<{ code: number; output: string }> => new Promise((resolve) => {
  execFile(process.execPath, [join(import.meta.dirname, '../../dist/src/scan-card-data.js')], { env: testEnvironment(service.tables.url, service.sandbox.url) }, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
  });
});
/** Everything that the database holds, as one text. */
const dump = async (): Promise<string> => {
  const tables = await service.tables.query<{ name: string }>("select table_name as name from information_schema.tables where table_schema = database()");
  return JSON.stringify(await Promise.all(tables.map(({ name }) => service.tables.query(`select * from ${name}`))), (_, value: unknown) => {
    const { type, data } = (value ?? {}) as { type?: string; data?: number[] };
    return type === 'Buffer' && data !== undefined ? Buffer.from(data).toString() : value;
  });
};

it('every column that could hold text from outside is looked at', async () => {
  const columns = await service.tables.query<{ place: string }>(`select concat(table_name, '.', column_name) as place from information_schema.columns
    where table_schema = database() and data_type in ('varchar', 'mediumtext', 'varbinary', 'mediumblob', 'text', 'binary')`);
  const scanned = new Set(SCANNED_TABLES.flatMap(({ table, columns: looked }) => Object.keys(looked).map((column) => `${table}.${column}`)));
  expect(columns.map(({ place }) => place).filter((place) => !scanned.has(place) && !NOT_SCANNED.some((rule) => rule.test(place)))).toEqual([]);
  expect([...scanned].filter((place) => !columns.some((column) => column.place === place))).toEqual([]);
});

describe('a card number that stands in stored text', () => {
  /** As if the door had let it in: where it is written, with which words around it. */
  const PLACES: [table: string, column: string, text: string, where: string][] = [
    ['payments', 'description', `card ${PAN} please`, 'id'],
    ['payments', 'customer', JSON.stringify({ email: 'a@b.pe', firstName: PAN, address: { line1: `x ${BARE}` } }), 'id'],
    ['payments', 'metadata', JSON.stringify({ [BARE]: 'ok', amount: 'S/ 12' }), 'id'],
    ['payments', 'reference', BARE, 'id'],
    ['payment_attempts', 'answer', JSON.stringify({ id: 'chr_test_1', amount: 4_111_111_111_111_111, source: { note: PAN } }), 'payment_id'],
    ['payment_attempts', 'psp_code', PAN, 'payment_id'],
    ['payment_transitions', 'detail', `said ${BARE}`, 'version = 1 and payment_id'],
  ];

  it('is redacted where it stands, with a ticket, and nothing else is changed', async () => {
    expect(await scan()).toEqual({ code: 0, output: 'No card numbers are stored.\n' });
    for (const [table, column, text, where] of PLACES) await service.tables.query(`update ${table} set ${column} = ? where ${where} = ?`, [text, paymentId]);
    const body = JSON.stringify({ description: PAN, amount: 4_111_111_111_111_111 });
    await service.tables.query('update idempotency_keys set body = ?', [Buffer.from(body)]);
    await service.tables.query('update api_keys set name = ? where tenant_id = ? limit 1', [PAN, shop.tenantId]);
    expect(await dump()).toContain(PAN);

    const { code, output } = await scan();
    expect(code).toBe(1);
    expect(output).toMatch(/^Card numbers stood in 5 rows: they are redacted/m);
    const left = await dump();
    expect(left).not.toContain(PAN);
    expect(left).not.toContain(BARE);
    expect(await service.tables.query('select description, customer, metadata from payments where id = ?', [paymentId])).toEqual([{
      description: `card ${MASK} please`, metadata: JSON.stringify({ [MASK]: 'ok', amount: 'S/ 12' }),
      customer: JSON.stringify({ email: 'a@b.pe', firstName: MASK, address: { line1: `x ${MASK}` } }),
    }]);
    const [answer] = await service.tables.query<{ answer: string }>('select answer from payment_attempts where payment_id = ?', [paymentId]);
    expect(JSON.parse(answer?.answer ?? '')).toEqual({ id: 'chr_test_1', amount: 4_111_111_111_111_111, source: { note: MASK } });
    const [stored] = await service.tables.query<{ body: Buffer }>('select body from idempotency_keys');
    expect(JSON.parse(stored?.body.toString() ?? '')).toEqual({ description: MASK, amount: 4_111_111_111_111_111 });

    const tickets = await service.tables.query<{ evidence: string; payment_id: string | null }>("select payment_id, evidence from tickets where kind = 'card_data_found' and tenant_id = ?", [shop.tenantId]);
    expect(tickets.map(({ evidence }) => (JSON.parse(evidence) as { table: string }).table).sort())
      .toEqual(['api_keys', 'idempotency_keys', 'payment_attempts', 'payment_transitions', 'payments']);
    expect(tickets.filter(({ payment_id: id }) => id === paymentId)).toHaveLength(3);
    expect(JSON.parse(tickets.map(({ evidence }) => evidence).find((evidence) => evidence.includes('"payments"')) ?? '')).toMatchObject({ columns: ['reference', 'description', 'customer', 'metadata'], redacted: true });
    expect(await scan()).toMatchObject({ code: 0 });
  }, 30_000);

  it('is only reported where nothing may be changed', async () => {
    await service.tables.query('update audit_entries set subject = ? where tenant_id = ? and entry_number = 1', [PAN, shop.tenantId]);
    expect((await scan()).code).toBe(1);
    const [ticket] = await service.tables.query<{ evidence: string }>("select evidence from tickets where kind = 'card_data_found' and evidence like '%audit_entries%'");
    expect(JSON.parse(ticket?.evidence ?? '')).toEqual({ table: 'audit_entries', key: [shop.tenantId, '1'], columns: ['subject'], redacted: false });
    await service.tables.query('update audit_entries set subject = tenant_id where tenant_id = ? and entry_number = 1', [shop.tenantId]);
  });

  it('is found by the daily job, through any number of rows, by one of all runners', async () => {
    const notes = Array.from({ length: 1_050 }, (_, index) => (index === 1_049 ? PAN : 'fine'));
    await service.tables.query('insert into tickets (id, tenant_id, kind, dedupe_key, status, evidence, opened_at) values ?', [
      notes.map((note, index) => [newId('tic', Date.now() + index), shop.tenantId, 'mismatch', Buffer.from(`m${index}`), 'open', JSON.stringify({ note }), new Date()]),
    ]);
    const runners = await Promise.all([1, 2].map(() => startInstance(service.tables.url, service.sandbox.url)));
    try {
      const due = async () => service.tables.query<{ due: number }>("select timestampdiff(second, now(3), run_at) as due from jobs where kind = 'card_data.scan'");
      for (let tries = 0; tries < 100 && ((await due())[0]?.due ?? 0) < 3_600; tries++) await sleep(100);
      expect(await due()).toEqual([{ due: expect.any(Number) as unknown }]);
      expect((await due())[0]?.due).toBeGreaterThan(23 * 3_600);
      expect(await dump()).not.toContain(PAN);
      expect(await service.tables.query("select id from tickets where kind = 'card_data_found' and evidence like '%\"table\":\"tickets\"%'")).toHaveLength(1);
    } finally {
      await Promise.all(runners.map(({ app }) => app.close()));
    }
  }, 30_000);
});
