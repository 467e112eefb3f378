import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from '../../src/app.module.js';
import { readEnv } from '../../src/config/read-env.js';
import { ormOptions } from '../../src/mikro-orm.config.js';
import type { Database } from '../../src/platform/database/database.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { createApp } from '../../src/platform/http/create-app.js';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { PLATFORM_ADMIN_KEY, rememberCanaries, testEnvironment } from './settings.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

export type Answer<Body = Record<string, never>> = { status: number; headers: Record<string, string | string[] | undefined>; body: Body; text: string };
export type Ask = { method?: 'GET' | 'POST' | 'PUT' | 'DELETE'; path: string; key?: string; body?: unknown; headers?: Record<string, string> };

/** The whole service in this process, on a database of its own, with a Culqi emulator of its own. */
export type Service = {
  app: NestFastifyApplication;
  database: Database;
  tables: TestDatabase;
  sandbox: CulqiSandbox;
  ask: <Body = never>(ask: Ask) => Promise<Answer<Body>>;
  close(): Promise<void>;
};

export async function startService(changes: Record<string, string> = {}): Promise<Service> {
  const tables = await createTestDatabase();
  const sandbox = await startCulqiSandbox({});
  const instance = await startInstance(tables.url, sandbox.url, changes);
  return {
    ...instance, tables, sandbox,
    close: async () => {
      await instance.app.close();
      await sandbox.close();
      await tables.drop();
    },
  };
}

/** One more instance over the same database and emulator. */
export async function startInstance(databaseUrl: string, sandboxUrl: string, changes: Record<string, string> = {}) {
  const env = readEnv(testEnvironment(databaseUrl, sandboxUrl, changes));
  const database = await openDatabase(ormOptions(env.databaseUrl, env.databasePool));
  const app = await createApp(AppModule.api(env, database), env);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return { app, database, ask: asker(app) };
}

function asker(app: NestFastifyApplication) {
  return async <Body = never>({ method = 'GET', path, key, body, headers = {} }: Ask): Promise<Answer<Body>> => {
    const sent = typeof body === 'string' || Buffer.isBuffer(body) ? body : body === undefined ? undefined : JSON.stringify(body);
    const response = await app.inject({
      method, url: path,
      headers: { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...(sent === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(sent === undefined ? {} : { payload: sent }),
    });
    const text = response.payload;
    return { status: response.statusCode, headers: response.headers as Answer['headers'], text, body: (text === '' ? {} : JSON.parse(text)) as Body };
  };
}

/** A merchant with keys and a Culqi account of its own at the emulator. */
export type Merchant = { tenantId: string; client: string; operator: string; admin: string; culqi: { publicKey: string; secretKey: string; merchant: string } };

let merchants = 0;

export async function newMerchant(ask: Service['ask'], tenant: Record<string, unknown> = {}): Promise<Merchant> {
  const admin = { key: PLATFORM_ADMIN_KEY, method: 'POST' as const };
  const made = await ask<{ id: string }>({
    ...admin, path: '/v1/admin/tenants', body: { name: 'Tienda', country: 'PE', defaultCurrency: 'PEN', email: 'tienda@ejemplo.pe', ...tenant },
  });
  const keyOf = async (role: string): Promise<string> => {
    const answer = await ask<{ key: string }>({ ...admin, path: `/v1/admin/tenants/${made.body.id}/api-keys`, body: { name: role, role } });
    return answer.body.key;
  };
  const suffix = `Canary${process.pid}x${++merchants}x${Math.random().toString(36).slice(2, 8)}`;
  const culqi = { publicKey: `pk_test_${suffix}`, secretKey: `sk_test_${suffix}`, merchant: `test_${suffix}` };
  await ask({
    ...admin, method: 'PUT', path: `/v1/admin/tenants/${made.body.id}/gateway-accounts/culqi`,
    body: { credentials: { publicKey: culqi.publicKey, secretKey: culqi.secretKey }, enabled: true, environment: 'sandbox' },
  });
  const merchant = { tenantId: made.body.id, client: await keyOf('client'), operator: await keyOf('operator'), admin: await keyOf('admin'), culqi };
  rememberCanaries([merchant.client, merchant.operator, merchant.admin, culqi.secretKey]);
  return merchant;
}
