import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from '../../src/app.module.js';
import { readEnv } from '../../src/config/read-env.js';
import { ormOptions } from '../../src/mikro-orm.config.js';
import type { Database } from '../../src/platform/database/database.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { STATEMENT_MS_MAX } from '../../src/platform/database/pool.js';
import { createApp } from '../../src/platform/http/create-app.js';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { startMercadopagoSandbox, type MercadopagoSandbox } from '../../src/sandbox/mercadopago/mercadopago-sandbox.js';
import { startPixelpaySandbox, type PixelpaySandbox } from '../../src/sandbox/pixelpay/pixelpay-sandbox.js';
import { PLATFORM_ADMIN_KEY, rememberCanaries, testEnvironment } from './settings.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

export type Answer<Body = Record<string, never>> = { status: number; headers: Record<string, string | string[] | undefined>; body: Body; text: string };
export type Ask = { method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'; path: string; key?: string; body?: unknown; headers?: Record<string, string> };

/** The whole service in this process, on a database of its own, with emulators of its own. */
export type Service = {
  app: NestFastifyApplication;
  database: Database;
  tables: TestDatabase;
  sandbox: CulqiSandbox;
  pixelpay: PixelpaySandbox;
  mercadopago: MercadopagoSandbox;
  ask: <Body = never>(ask: Ask) => Promise<Answer<Body>>;
  close(): Promise<void>;
};

/** `pspClock`: by which the emulators go. */
export async function startService(changes: Record<string, string> = {}, pspClock: { nowMs?: () => number } = {}): Promise<Service> {
  const tables = await createTestDatabase();
  const sandbox = await startCulqiSandbox(pspClock);
  const pixelpay = await startPixelpaySandbox(pspClock);
  pixelpay.settings.change({ completeAfterMs: 300, pendingForMs: 600, refundAfterMs: 300 });
  const mercadopago = await startMercadopagoSandbox(pspClock);
  mercadopago.settings.change({ reviewAfterMs: 300, refundAfterMs: 300 });
  const instance = await startInstance(tables.url, sandbox.url, { PIXELPAY_API_URL: pixelpay.url, MERCADOPAGO_API_URL: mercadopago.url, ...changes });
  return {
    ...instance, tables, sandbox, pixelpay, mercadopago,
    close: async () => {
      await instance.app.close();
      await sandbox.close();
      await pixelpay.close();
      await mercadopago.close();
      await tables.drop();
    },
  };
}

/** One more instance over the same database and emulator. */
export async function startInstance(databaseUrl: string, sandboxUrl: string, changes: Record<string, string> = {}) {
  const env = readEnv(testEnvironment(databaseUrl, sandboxUrl, changes));
  const database = await openDatabase(ormOptions(env.databaseUrl, env.databasePool, STATEMENT_MS_MAX));
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

/** A merchant's account at PixelPay. */
export type PixelpayAccount = { apiKey: string; publicKey: string; webhookSecret: string; merchant: string };

/** A merchant with keys and a Culqi account of its own at the emulator; `pixelpay` is what its account there would be. */
export type Merchant = { tenantId: string; client: string; operator: string; admin: string; culqi: { publicKey: string; secretKey: string; merchant: string }; pixelpay: PixelpayAccount };

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
  const pixelpay: PixelpayAccount = { apiKey: `pk_test_${suffix}`, publicKey: `pub_test_${suffix}`, webhookSecret: `whsec_${suffix}`, merchant: `test_${suffix}` };
  const merchant = { tenantId: made.body.id, client: await keyOf('client'), operator: await keyOf('operator'), admin: await keyOf('admin'), culqi, pixelpay };
  rememberCanaries([merchant.client, merchant.operator, merchant.admin, culqi.secretKey, pixelpay.webhookSecret]);
  return merchant;
}

/** A merchant with accounts at both PSPs. */
export async function newMerchantOfBoth(ask: Service['ask'], tenant: Record<string, unknown> = {}): Promise<Merchant> {
  const merchant = await newMerchant(ask, tenant);
  const { apiKey, publicKey, webhookSecret } = merchant.pixelpay;
  await ask({
    method: 'PUT', path: `/v1/admin/tenants/${merchant.tenantId}/gateway-accounts/pixelpay`, key: PLATFORM_ADMIN_KEY,
    body: { credentials: { apiKey, publicKey, webhookSecret }, enabled: true, environment: 'sandbox' },
  });
  return merchant;
}
