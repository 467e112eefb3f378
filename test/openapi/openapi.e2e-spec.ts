import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { mintToken } from '../support/payments.js';
import { startProcess, type ServiceProcess } from '../support/process.js';
import { newMerchant, type Merchant } from '../support/service.js';
import { testEnvironment } from '../support/settings.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const ROOT = resolve(import.meta.dirname, '../..');

type Operation = { summary?: string; security?: object[]; responses: Record<string, { content?: Record<string, { schema?: object }> }> };
type Description = { paths: Record<string, Record<string, Operation>> };

let tables: TestDatabase;
let sandbox: CulqiSandbox;
let service: ServiceProcess;
let shop: Merchant;
let folder: string;
let description: Description;

// The compiled service: the plugin that reads types and comments runs in the build only.
beforeAll(async () => {
  tables = await createTestDatabase();
  sandbox = await startCulqiSandbox({});
  service = await startProcess(testEnvironment(tables.url, sandbox.url, { PUBLIC_URL: 'https://pay.smartpay.dev' }));
  shop = await newMerchant(service.ask);
  mkdirSync(join(ROOT, '.data'), { recursive: true });
  folder = mkdtempSync(join(ROOT, '.data/client-'));
  const answer = await service.ask<Description>({ path: '/docs/openapi.json' });
  description = answer.body;
  writeFileSync(join(folder, 'openapi.json'), answer.text);
}, 60_000);
afterAll(async () => {
  await service.kill('SIGTERM');
  await sandbox.close();
  await tables.drop();
  rmSync(folder, { recursive: true });
});

const operations = (): [string, Operation][] => Object.entries(description.paths)
  .flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]): [string, Operation] => [`${method.toUpperCase()} ${path}`, operation]));

/** Runs a program beside us: the emulator in this process must go on answering. */
function run(program: string, ...args: string[]): Promise<string> {
  return new Promise((succeed, fail) => {
    execFile(process.execPath, [join(ROOT, program), ...args], { cwd: folder, env: { PATH: process.env.PATH, NO_COLOR: '1' } }, (error, stdout, stderr) => {
      if (error === null) succeed(stdout);
      else fail(new Error(`${program}: ${stdout}${stderr}`));
    });
  });
}

describe('the description of the API', () => {
  it('is clean under Redocly\'s recommended rules', async () => {
    expect(JSON.parse(await run('test/openapi/lint.mjs', 'openapi.json'))).toEqual([]);
  });

  it('has every route, each with what it does, what it answers, and its problems', () => {
    expect(operations().map(([name]) => name).sort()).toEqual([
      'DELETE /v1/admin/tenants/{tenantId}/api-keys/{id}', 'GET /health/live', 'GET /health/ready', 'GET /v1/admin/tenants/{tenantId}', 'GET /v1/admin/tenants/{tenantId}/api-keys', 'GET /v1/admin/tenants/{tenantId}/audit-entries',
      'GET /v1/admin/tenants/{tenantId}/gateway-accounts', 'GET /v1/payments', 'GET /v1/payments/{id}', 'GET /v1/payments/{id}/timeline', 'POST /v1/admin/tenants',
      'POST /v1/admin/tenants/{tenantId}/api-keys', 'POST /v1/payments', 'POST /v1/payments/{id}/capture', 'POST /v1/payments/{id}/confirm', 'POST /v1/payments/{id}/sync', 'POST /v1/payments/{id}/void',
      'PUT /v1/admin/tenants/{tenantId}/gateway-accounts/{gateway}', 'PATCH /v1/admin/tenants/{tenantId}', 'POST /v1/payments/{id}/authentication', 'POST /v1/payments/{id}/refunds', 'GET /v1/payments/{id}/refunds',
      'GET /v1/refunds', 'GET /v1/refunds/{id}', 'GET /v1/webhook-events', 'POST /v1/webhook-events/{id}/replay', 'POST /webhooks/{gateway}/{tenantId}',
      'POST /v1/customers/{customerId}/payment-methods', 'GET /v1/customers/{customerId}/payment-methods', 'PATCH /v1/customers/{customerId}/payment-methods/{id}', 'DELETE /v1/customers/{customerId}/payment-methods/{id}',
      'POST /v1/customers', 'GET /v1/customers', 'GET /v1/customers/{id}', 'PATCH /v1/customers/{id}', 'GET /v1/customers/{id}/payments', 'DELETE /v1/customers/{id}', 'GET /v1/customers/{id}/export', 'GET /v1/payment-methods',
      'POST /v1/payments/{id}/resolution', 'GET /v1/payments/{id}/resolutions', 'POST /v1/refunds/{id}/resolution', 'GET /v1/tickets', 'PATCH /v1/tickets/{id}', 'GET /v1/reconciliation/tickets', 'PATCH /v1/reconciliation/tickets/{id}',
    ].sort());
    for (const [name, { summary, responses, security }] of operations()) {
      const good = Object.entries(responses).filter(([status]) => status.startsWith('2'));
      expect({ name, summary: summary !== undefined && summary.length > 0, isGood: good.length > 0 }).toEqual({ name, summary: true, isGood: true });
      for (const [status, { content }] of good.filter(([each]) => each !== '204')) expect({ name, status, schema: content?.['application/json']?.schema }).toMatchObject({ name, status, schema: expect.any(Object) as unknown });
      const problems = Object.entries(responses).filter(([, { content }]) => content?.['application/problem+json'] !== undefined).map(([status]) => status);
      if (security?.length !== 0) expect(problems).toEqual(expect.arrayContaining(['401', '403', '500', '503']));
    }
  });
});

describe('a client generated from it', () => {
  const program = (token: string): string => `
    import createClient from 'openapi-fetch';
    import type { paths } from './schema.js';
    const client = createClient<paths>({ baseUrl: ${JSON.stringify(service.url)}, headers: { authorization: ${JSON.stringify(`Bearer ${shop.client}`)} } });
    const made = await client.POST('/v1/payments', {
      params: { header: { 'Idempotency-Key': 'generated-1' } },
      body: { amount: 12900, currency: 'PEN', customer: { email: 'ana@ejemplo.pe' }, paymentMethod: { type: 'card', tokens: { culqi: ${JSON.stringify(token)} } } },
    });
    if (made.error !== undefined) throw new Error(made.error.code);
    const id: string = made.data.id;
    const read = await client.GET('/v1/payments/{id}', { params: { path: { id } } });
    const status: 'captured' | 'failed' | undefined = read.data?.status === 'captured' ? read.data.status : undefined;
    const amount: number | undefined = read.data?.amountCaptured;
    console.log(JSON.stringify({ status, amount }));
  `;

  it('compiles strictly and makes a payment', async () => {
    await run('node_modules/openapi-typescript/bin/cli.js', 'openapi.json', '--output', 'schema.ts');
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'pay.ts'), program(await mintToken(sandbox.url, shop)));
    await run('node_modules/typescript/bin/tsc', '--ignoreConfig', '--strict', '--target', 'es2023', '--module', 'nodenext', '--skipLibCheck', '--types', 'node', '--outDir', 'out', 'pay.ts');
    expect(readFileSync(join(folder, 'out/pay.js'), 'utf8')).toContain('createClient');
    expect(JSON.parse(await run(join(folder, 'out/pay.js').slice(ROOT.length + 1)))).toEqual({ status: 'captured', amount: 12_900 });
  }, 60_000);
});
