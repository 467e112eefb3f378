import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { startDatabaseProxy } from '../support/database-proxy.js';
import { createPayment, eventually, mintToken, paymentOf, readPayment, settled } from '../support/payments.js';
import { startProcess, startWorker } from '../support/process.js';
import { newMerchant } from '../support/service.js';
import { testEnvironment } from '../support/settings.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let tables: TestDatabase;
let sandbox: CulqiSandbox;
beforeAll(async () => {
  tables = await createTestDatabase();
  sandbox = await startCulqiSandbox({});
});
afterAll(async () => {
  await sandbox.close();
  await tables.drop();
});

const environment = (changes: Record<string, string> = {}): Record<string, string> => testEnvironment(tables.url, sandbox.url, changes);

/** Runs a program of the service to its end. */
async function run(program: string, env: Record<string, string>): Promise<{ code: number | null; lines: string[] }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, `../../dist/src/${program}.js`)], { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => { text += chunk.toString(); });
  const [code] = await once(child, 'exit') as [number | null];
  return { code, lines: text.trimEnd().split('\n') };
}

describe('the service does not start', () => {
  it.each(['main', 'worker', 'migrate'])('as %s with a bad environment: one line for each variable, without its value', async (program) => {
    const { code, lines } = await run(program, environment({ DATABASE_URL: 'postgres://secret-host/x', PLATFORM_ADMIN_KEY: 'short-secret', JOB_POLL_MS: 'secret', PORT: '3000' }));
    expect(code).toBe(1);
    expect(lines).toHaveLength(3);
    for (const name of ['DATABASE_URL', 'PLATFORM_ADMIN_KEY', 'JOB_POLL_MS']) expect(lines.some((line) => line.includes(name))).toBe(true);
    expect(lines.join('\n')).not.toContain('secret');
  });

  it('on a port that is taken: one line that says what to do', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => { server.listen(0, '0.0.0.0', resolve); });
    const { port } = server.address() as AddressInfo;
    const { code, lines } = await run('main', environment({ PORT: String(port) }));
    expect({ code, lines }).toEqual({ code: 1, lines: [`Port ${port} is in use: stop what listens there, or set PORT.`] });
    await new Promise((resolve) => { server.close(resolve); });
  }, 60_000);
});

describe('the service starts', () => {
  it('while its database is down, and is ready once that is up', async () => {
    const proxy = await startDatabaseProxy(tables.url);
    proxy.setDown(true);
    const service = await startProcess(environment({ DATABASE_URL: proxy.url }), '/health/live');
    expect(await service.ask({ path: '/health/ready' })).toMatchObject({ status: 503, body: { status: 'unavailable' } });
    proxy.setDown(false);
    expect(await service.ask({ path: '/health/ready' })).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await service.kill('SIGTERM')).toBe(0);
    await proxy.close();
  }, 60_000);

  it('and on SIGTERM says that it leaves, answers for a while, ends each connection, and then ends itself', async () => {
    const service = await startProcess(environment({ DRAIN_MS: '700' }));
    const shop = await newMerchant(service.ask);
    const ended = service.kill('SIGTERM');
    for (let tries = 0; tries < 40 && (await service.ask({ path: '/health/ready' })).status === 200; tries++) await sleep(10);
    expect(await service.ask({ path: '/health/ready' })).toMatchObject({ status: 503, body: { checks: { process: { reason: 'shutting down' } } } });
    const paid = await createPayment(service, shop.client, paymentOf(await mintToken(sandbox.url, shop)));
    expect(paid).toMatchObject({ status: 201, headers: { connection: 'close' }, body: { status: 'captured' } });
    expect(await ended).toBe(0);
    await expect(service.ask({ path: '/health/live' })).rejects.toThrow();
  }, 30_000);

  it('without jobs, and a worker of its own does them', async () => {
    const service = await startProcess(environment({ WORKER: 'off' }));
    const shop = await newMerchant(service.ask);
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking' });
    const { body: made } = await createPayment(service, shop.client, paymentOf(await mintToken(sandbox.url, shop)));
    expect(await settled(service, shop.client, made.id, 1_000)).toMatchObject({ status: 'processing' });
    const directory = await mkdtemp(join(tmpdir(), 'smartpay-worker-'));
    const worker = startWorker(environment({ LOG_CAPTURE_DIR: directory }));
    expect(await settled(service, shop.client, made.id)).toMatchObject({ status: 'captured' });
    expect(await worker.kill('SIGTERM')).toBe(0);
    // Nest only logs what a hook of the shutdown throws.
    const [file] = await readdir(directory);
    const lines = (await readFile(join(directory, file!), 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line) as { level: string; msg: string });
    expect(lines.map(({ msg }) => msg)).toContain('stopping');
    expect(lines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
    await rm(directory, { recursive: true });
    expect(await service.kill('SIGTERM')).toBe(0);
  }, 60_000);

  it('and a worker that is told to stop finishes the job in hand', async () => {
    const service = await startProcess(environment({ WORKER: 'off' }));
    const shop = await newMerchant(service.ask);
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking' });
    const { body: made } = await createPayment(service, shop.client, paymentOf(await mintToken(sandbox.url, shop)));
    sandbox.faults.add({ route: 'GET /v2/charges', kind: 'delayed', delayMs: 1_000, merchant: shop.culqi.merchant });
    const worker = startWorker(environment());
    expect(await eventually(() => sandbox.faults.list(), (faults) => faults.length === 0)).toEqual([]);
    expect(await worker.kill('SIGTERM')).toBe(0);
    expect((await readPayment(service, shop.client, made.id)).status).toBe('captured');
    expect(await service.kill('SIGTERM')).toBe(0);
  }, 60_000);
});
