import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CulqiSandbox, startCulqiSandbox } from './culqi-sandbox.js';
import { idsOf, Shop } from './shop.js';

describe('the books of the Culqi emulator', () => {
  let dataDir: string;
  let journalPath: string;
  let sandbox: CulqiSandbox;
  let shop: Shop;

  const start = async (): Promise<void> => {
    sandbox = await startCulqiSandbox({ dataDir });
    shop = new Shop(sandbox.url);
  };

  beforeEach(async () => {
    const parent = mkdtempSync(join(tmpdir(), 'culqi-books-'));
    dataDir = join(parent, 'books');
    journalPath = join(dataDir, 'culqi.journal.jsonl');
    await start();
  });

  afterEach(async () => {
    await sandbox.close();
    rmSync(join(dataDir, '..'), { recursive: true });
  });

  it('agree with the past after a restart: charges, failed ones, fresh and used-up tokens', async () => {
    const paid = await shop.paid({ metadata: { attempt_id: 'att_1' } });
    await shop.charge({ source_id: await shop.token('4000040000000008', '295') });
    const [fresh, declining] = [await shop.token(), await shop.token('4000020000000000', '354')];
    const before = sandbox.books.charges();
    await sandbox.close();
    await start();
    expect(sandbox.books.charges()).toEqual(before);
    expect(sandbox.books.tokenCount('tienda01')).toBe(4);
    expect(idsOf(await shop.list())).toHaveLength(2);
    expect((await shop.charge({ source_id: paid.source.id })).status).toBe(400);
    expect((await shop.charge({ source_id: fresh })).status).toBe(201);
    expect(await shop.charge({ source_id: declining })).toMatchObject({ status: 402, json: { decline_code: 'stolen_card' } });
  });

  it('forget a last line that was torn, and write on cleanly after it', async () => {
    const first = await shop.paid();
    await sandbox.close();
    appendFileSync(journalPath, '{"kind":"charge","merchant":"test_tie');
    await start();
    const second = await shop.paid();
    await sandbox.close();
    await start();
    expect(sandbox.books.charges().map(({ id }) => id)).toEqual([first.id, second.id]);
  });

  it('refuse to start over a line that is broken in the middle, and free the port', async () => {
    await shop.paid();
    await sandbox.close();
    appendFileSync(journalPath, 'broken\n{}\n');
    await expect(startCulqiSandbox({ dataDir, port: sandbox.port })).rejects.toThrow(/cannot be read/);
    rmSync(journalPath);
    sandbox = await startCulqiSandbox({ dataDir, port: sandbox.port });
    expect(sandbox.books.charges()).toEqual([]);
  });

  it('hold no card number and no CVV, and are closed to others', async () => {
    await shop.charge({ source_id: await shop.token('371212121212122', '2841') });
    await shop.charge({ source_id: await shop.token('4000020000000000', '354') });
    const journal = readFileSync(journalPath, 'utf8');
    expect(journal).toContain('371212*****2122');
    expect(journal).not.toMatch(/371212121212122|4000020000000000|cvv/i);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(statSync(journalPath).mode & 0o777).toBe(0o600);
  });

  it('are left alone by a second emulator that finds the port taken', async () => {
    await shop.paid();
    const before = readFileSync(journalPath, 'utf8');
    await expect(startCulqiSandbox({ dataDir, port: sandbox.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(readFileSync(journalPath, 'utf8')).toBe(before);
  });

  it('are empty after a reset, also for the next start', async () => {
    await shop.paid();
    sandbox.reset();
    const { id } = await shop.paid();
    await sandbox.close();
    await start();
    expect(sandbox.books.charges().map((charge) => charge.id)).toEqual([id]);
  });
});
